"""Forms as edits of the characters of their lemmas, which an encoder predicts as it tags words; batches and scorer."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semeqv.lazy import Floats, NDArray, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.batches import LabelledBatches
from semeqv.tasks.classification.dataset import Labelled, batch_options, longest_row
from semeqv.tasks.classification.rows import UNLABELLED, word_rows
from semeqv.tasks.inflection.metrics import edit_distance, form_counts, means, score_forms
from semeqv.tasks.inflection.spelling import Form, lemmas_of
from semeqv.train.batches import Batch
from semeqv.train.metrics import Scorer

KEEP, REPLACE = "+", "-"  # how an edit begins: keep the character and write more, or write something in its place
START = "="  # stands before the lemma, so that something can be written before its first character


def edits(lemma: str, form: str) -> tuple[str, ...]:
    """Return the edits that make a form of a lemma.

    They are those of an alignment with the fewest insertions, deletions and exchanges (Levenshtein, 1966) that keeps
    the beginning of the lemma as long as it can.

    Args:
        lemma: The lemma.
        form: The form.

    Returns:
        An edit of the place before the lemma, and one of each character: `+` keeps it, `+ed` keeps it and writes `ed`
        behind it, `-` leaves it out, and `-ies` writes `ies` in its place.
    """
    costs = distances(lemma, form)
    row, column, keeps, written = 0, 0, [True], [""]
    while row < len(lemma) or column < len(form):
        here = costs[row][column]
        if (
            row < len(lemma)
            and column < len(form)
            and lemma[row] == form[column]
            and costs[row + 1][column + 1] == here
        ):
            written.append("")
            keeps.append(True)
            row, column = row + 1, column + 1
        elif row < len(lemma) and column < len(form) and costs[row + 1][column + 1] == here - 1:
            written.append(form[column])
            keeps.append(False)
            row, column = row + 1, column + 1
        elif column < len(form) and costs[row][column + 1] == here - 1:
            written[-1] += form[column]
            column += 1
        else:
            written.append("")
            keeps.append(False)
            row += 1
    return tuple((KEEP if same else REPLACE) + said for same, said in zip(keeps, written))


def distances(lemma: str, form: str) -> list[list[int]]:
    """Return how many edits each end of a lemma needs to become each end of a form: `(1 + lemma, 1 + form)`."""
    costs = [[0] * (len(form) + 1) for _ in range(len(lemma) + 1)]
    for row in range(len(lemma), -1, -1):
        for column in range(len(form), -1, -1):
            if row == len(lemma) or column == len(form):
                costs[row][column] = len(lemma) - row + len(form) - column
            elif lemma[row] == form[column]:
                costs[row][column] = costs[row + 1][column + 1]
            else:
                nearest = costs[row + 1][column + 1], costs[row][column + 1], costs[row + 1][column]
                costs[row][column] = 1 + min(nearest)
    return costs


def edited(lemma: str, changes: Sequence[str | None]) -> str:
    """Return the form that edits make of a lemma.

    Args:
        lemma: The lemma.
        changes: The edits, as of `edits`; None keeps a character.

    Returns:
        The form.
    """
    form = ""
    for letter, edit in zip(["", *lemma], changes):
        kind, more = (KEEP, "") if edit is None else (edit[:1], edit[1:])
        form += letter + more if kind == KEEP else more
    return form


SCORES = ("accuracy", "edit_distance")


class EditBatches(LabelledBatches):
    """Forms as batches of features, a mark and the characters of the lemma, whose labels are edits."""

    def scorer(self) -> Any:
        """Return the scorer of a pass over all rows."""
        return EditScorer(self)


class EditScorer(Scorer):
    """Accuracy of the forms that the likeliest edits make, and how many characters they are off on average.

    It is a `Tallied` scorer (see `semeqv.results.statistics`), so that models can be compared on samples of lemmas.

    Args:
        data: The forms.
    """

    def __init__(self, data: EditBatches):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, torch.Tensor], batch: Batch) -> Any:
        """Return the likeliest edits, `(rows, words)`."""
        return outputs["logits"].argmax(-1).cpu().numpy()

    def written(self) -> list[str]:
        """Return the form of each lemma that the edits make."""
        data, words, rows = self.data, [""] * len(self.data.items), iter(self.data.passing.tolist())
        for numbers in (row for part in self.parts for row in part.tolist()):
            number = next(rows)
            form = data.items[number]
            named = [data.labels[edit] for edit in numbers[: data.label_lengths[number]]]
            words[number] = edited(form.lemma, named[len(named) - len(form.lemma) - 1 :])
        return words

    def values(self) -> dict[str, NDArray[Any]]:
        """Return whether each form is right, and how many characters it is off, each `(forms,)`."""
        pairs = [(form.form, written) for form, written in zip(self.data.items, self.written())]
        right, off = [form == written for form, written in pairs], [edit_distance(*pair) for pair in pairs]
        return dict(zip(SCORES, map(numpy.array, (right, off))))

    def scores(self) -> dict[str, float]:
        """Return both scores, and in `NAME_low` and `NAME_high` their intervals where the data set asks for them."""
        return score_forms(lemmas_of(self.data.items), self.values(), self.data.replicates)

    def tally(self) -> Floats:
        """Return what is counted of each lemma, `(lemmas, 3)`: its forms, those that are right, and characters off."""
        return form_counts(lemmas_of(self.data.items), list(self.values().values()))

    def measures(self, sums: NDArray[Any]) -> dict[str, Floats]:
        """Return both scores from sums of counts, `(..., 3)`, each `(...)`."""
        return means(sums, SCORES)

    def predictions(self) -> Iterator[dict[str, Any]]:
        """Yield each lemma with its features, its form, and the one that was made, in their order."""
        for number, (form, written) in enumerate(zip(self.data.items, self.written())):
            yield {
                "sentence": number,
                "texts": [form.lemma, form.features],
                "label": form.form,
                "predicted": written,
            }


def edit_batches(
    options: Labelled,
    tokenizer: Any,
    model_options: Any,
    *,
    forms: Sequence[Form],
    train: tuple[Form, ...] | None,
) -> EditBatches:
    """Return the batches of a data set, for a classifier of words.

    Args:
        options: The data set.
        tokenizer: A fast tokenizer of transformers.
        model_options: The model, which decides the edits when it is a trained one that knows all of the training set.
        forms: The forms of the data set.
        train: Those of the training set, which decides the edits; None where there is none.

    Returns:
        The data set. An edit that is none of the labels is not asked for.

    Raises:
        UserError: When the edits are not known, or a row is too long.
    """
    longest = longest_row(options, tokenizer, model_options)
    names = edit_names(train, model_options.known_labels())
    numbers = {name: number for number, name in enumerate(names)}
    words, labels = list[list[str]](), list[int]()
    for form in forms:
        features = form.features.split(";")
        words.append([*features, START, *form.lemma])
        labels += [UNLABELLED] * len(features)
        labels += [numbers.get(edit, UNLABELLED) for edit in edits(form.lemma, form.form)]
    rows = word_rows(tokenizer, words, numpy.array(labels, numpy.int64), longest)
    if len(rows) > len(forms):
        form = forms[int(numpy.bincount(rows.sentences).argmax())]
        raise UserError(f"{' '.join(form)!r:.80} takes more than {longest} tokens; raise --max_length.")
    facts = {
        "forms": len(forms),
        "lemmas": len(set(lemmas_of(forms))),
        "labels": list(names),
        "tokens": len(rows.tokens),
    }
    return EditBatches(rows, forms, names, **batch_options(options, tokenizer, longest, facts))


def edit_names(train: tuple[Form, ...] | None, known: Sequence[str]) -> tuple[str, ...]:
    """Return the edits that a model predicts.

    Args:
        train: The forms of the training set, or None.
        known: The edits of a trained model; none of another.

    Returns:
        Those of the model, if it knows all of the training set; else those of the training set.

    Raises:
        UserError: When there is neither.
    """
    names = edits_of(train) if train is not None else ()
    if known and set(names) <= set(known):
        return tuple(known)
    if not names:
        raise UserError("The edits are not known. Add the training set, or name a trained model by --from.")
    return names


@functools.lru_cache(maxsize=4)
def edits_of(forms: tuple[Form, ...]) -> tuple[str, ...]:
    """Return the edits of some forms, sorted."""
    return tuple(sorted({edit for form in forms for edit in edits(form.lemma, form.form)}))
