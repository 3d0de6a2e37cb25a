"""Tables of forms as data sets, and the scorer of a pass over them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.lazy import Floats, NDArray, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.dataset import Item, Labelled, batch_options, check_no_overlap, of_split
from semeqv.tasks.classification.rows import UNLABELLED, Rows
from semeqv.tasks.inflection.edits import edit_batches
from semeqv.tasks.inflection.metrics import form_counts, means, score_forms
from semeqv.tasks.inflection.spelling import CharacterSpelling, Form, lemmas_of
from semeqv.tasks.prompting.batches import AnswerBatches, most_tokens
from semeqv.tasks.prompting.scorers import logits_of
from semeqv.text.cache import key_of
from semeqv.text.location import locate
from semeqv.text.readers.table import read_rows
from semeqv.text.records import Document
from semeqv.text.tokenizers.files import add_ends
from semeqv.train.batches import Batch
from semeqv.train.metrics import Scorer


@component("dataset unimorph")
@dataclass(frozen=True, kw_only=True)
class UniMorph(Labelled):
    """Forms of lemmas (UniMorph; Batsuren et al., 2022, arXiv 2205.03608), for a model that inflects.

    A line of the file is a lemma, a form and its features, such as `dog`, `dogs` and `N;PL`, with tabs between them.
    A causal model (cli model gpt2, causal-lm) reads features and lemma and writes the form, a character at a time, each
    in the tokens that it has by itself. An encoder (cli model token-classifier --from BERT) reads the same and tags
    each character of the lemma with an edit: keep it, leave it out, write something behind it or in its place; its
    labels are the edits of the training set. The score is the share of the forms that are right from the first to the
    last character when the likeliest token, or edit, is always taken; `cli inflect` also says how far off the others
    are.

    Args:
        holdout: Share of the lemmas, chosen by a hash, that are kept for validation with all their forms, and as many
            for test; the rest is for training. So no lemma is in two parts, which would make it easy (Goldman et al.,
            2022, arXiv 2108.05682). 0 when each split has a file of its own, or to read all of it.
        sentences: Read so many forms at most; 0 for all.
        labels: Not for forms: the edits of an encoder are those of the training set, or of a trained one.
        max_length: The most tokens of a row, features, lemma and form together; a longer one is refused.
        path: The file.
        columns: The columns of lemma, form and features, counted from 1; `1 3 2` in files of later shared tasks.
    """

    of_words: ClassVar[bool] = False

    path: Path = field()
    columns: tuple[int, int, int] = (1, 2, 3)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.labels:
            raise ValueError("--labels is not for forms.")
        if sorted(set(self.columns)) != sorted(self.columns) or min(self.columns) < 1:
            raise ValueError("--columns takes three different columns, counted from 1.")

    def sources(self) -> Mapping[str, Path]:
        """Return the file."""
        file = locate(str(self.path), self.path)
        return {file.name: file}

    def items(self) -> Iterator[Item]:
        """Yield lemma, form and features of each line."""
        for form in every_form(self):
            yield Item(tuple(form), (None,))

    def corpus(self) -> Iterator[Any]:
        """Yield the lines of this split, to train a tokenizer on, as `Document`s."""
        for form in forms(self):
            yield from map(Document, form)

    def line_of(self, label: str) -> str:
        """Return the file."""
        return str(self.path)

    def build(self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any) -> Any:
        """Build the data set.

        Args:
            tokenizer: The tokenizer of the run, or of the model.
            dataset_options: The data sets of the sentence; one that is held out shares no text with the training set.
            model_options: The model: one that predicts the next token, or a classifier of words.

        Returns:
            Batches of `input_ids` and `labels`.
        """
        check_no_overlap(self, dataset_options, model_options)
        if getattr(model_options, "word", None) == "token-classifier":
            train = dataset_options.get(("train", None))
            return edit_batches(
                self, tokenizer, model_options, forms=forms(self), train=None if train is None else forms(train)
            )
        return batches(self, tokenizer, model_options)


class FormBatches(AnswerBatches):
    """Forms as batches: `input_ids` and `labels` `(batch, time)`, -100 on features and lemma, and `attention_mask`.

    Args:
        rows: The rows, whose labels are their tokens.
        forms: The forms.
        spelling: How they are spelled.
        **options: As of `LabelledBatches`.
    """

    def __init__(self, rows: Rows, forms: Sequence[Form], spelling: CharacterSpelling, **options: Any):
        super().__init__(rows, forms, (), **options)
        self.spelling = spelling

    def scorer(self) -> Any:
        """Return the scorer of a pass over all rows."""
        return FormScorer(self)


def every_form(options: UniMorph) -> tuple[Form, ...]:
    """Return all forms of the file of a data set, read once while the file is the same."""
    return read(options, key_of(options.source_facts()))


@functools.lru_cache(maxsize=8)
def read(options: UniMorph, key: str) -> tuple[Form, ...]:
    """Read a table of forms.

    Args:
        options: The data set.
        key: Says in what state its file is.

    Returns:
        Its forms, at least one.

    Raises:
        UserError: When a lemma or a form is empty.
    """
    table = list[Form]()
    (file,) = options.sources().values()
    for row in read_rows(file, options.columns, header=None):
        form = Form(*row.values)
        if not form.lemma or not form.form:
            raise UserError(f"{file}, line {row.line}: an empty lemma or form.")
        table.append(form)
    return tuple(table)


def forms(options: UniMorph) -> tuple[Form, ...]:
    """Return the forms of a data set that belong to its split; all of a lemma belong to one.

    Args:
        options: The data set.

    Returns:
        The forms, at least one; `of_split` raises `UserError` when there is none.
    """
    return of_split(options, every_form(options), lambda form: (form.lemma,))


def batches(options: UniMorph, tokenizer: Any, model_options: Any) -> FormBatches:
    """Return the batches of a data set, for a causal model.

    Args:
        options: The data set.
        tokenizer: A fast tokenizer of transformers.
        model_options: The model of the sentence.

    Returns:
        The data set.

    Raises:
        UserError: When the model does not predict the next token, or a row is too long.
    """
    if getattr(model_options, "objective", "causal") != "causal":
        raise UserError(
            "Forms are written by a model that predicts the next token, cli model causal-lm, or by an encoder that "
            "edits the characters of the lemma, cli model token-classifier --from ENCODER."
        )
    table = forms(options)
    spelling = CharacterSpelling.of(
        tokenizer, [word for form in table for word in form[:2]], [form.features for form in table]
    )
    prompts = [spelling.prompt(form.lemma, form.features) for form in table]
    answers = [[*spelling.spelled(form.form), spelling.end] for form in table]
    lengths = [len(prompt) + len(answer) for prompt, answer in zip(prompts, answers)]
    longest = most_tokens(options, tokenizer, model_options)
    add_ends(tokenizer, spelling.begin, (), ())
    if max(lengths) > longest:
        form = table[int(numpy.argmax(lengths))]
        raise UserError(f"{' '.join(form)!r:.80} takes {max(lengths)} tokens, more than {longest}; raise --max_length.")
    tokens = [token for pair in zip(prompts, answers) for part in pair for token in part]
    labels = [label for prompt, answer in zip(prompts, answers) for label in [*[UNLABELLED] * len(prompt), *answer]]
    ends = numpy.cumsum(lengths)
    rows = Rows(
        numpy.array(tokens, numpy.int64), ends, numpy.array(labels, numpy.int64), ends, numpy.arange(len(table))
    )
    facts = {
        "forms": len(table),
        "lemmas": len({form.lemma for form in table}),
        "tokens": len(tokens),
    }
    return FormBatches(rows, table, spelling, **batch_options(options, tokenizer, longest, facts))


class FormScorer(Scorer):
    """Accuracy of forms. A model that always takes the likeliest token writes the right form if, and only if, each
    token of the right form is the likeliest after those before it: so nothing needs to be generated. What it would
    write in place of a form that is wrong cannot be told so; `cli inflect` writes it.

    It is a `Tallied` scorer (see `semeqv.results.statistics`), so that models can be compared on samples of lemmas.

    Args:
        data: The forms.
    """

    def __init__(self, data: FormBatches):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, torch.Tensor], batch: Batch) -> Any:
        """Return whether each form is right, `(rows,)`.

        Args:
            outputs: `logits`, `(rows, time, vocabulary)`, of the next token.
            batch: `labels`, `(rows, time)`.

        Returns:
            An array of truth values.
        """
        labels = batch["labels"][:, 1:]
        right = (logits_of(outputs, batch, self.model)[:, :-1].argmax(-1) == labels) | (labels == -100)
        return right.all(1).cpu().numpy()

    def right(self) -> NDArray[numpy.bool_]:
        """Return whether each form is right, `(forms,)`."""
        data = self.data
        right = numpy.zeros(len(data.items), bool)
        right[data.passing] = numpy.concatenate(self.parts)
        for number, form in enumerate(data.items):  # a character that the tokenizer does not know is never right
            right[number] &= data.spelling.read(data.spelling.spelled(form.form)) == form.form
        return right

    def scores(self) -> dict[str, float]:
        """Return the accuracy, and in `accuracy_low` and `accuracy_high` its interval if the data set asks for it."""
        return score_forms(lemmas_of(self.data.items), {"accuracy": self.right()}, self.data.replicates)

    def tally(self) -> Floats:
        """Return what is counted of each lemma, `(lemmas, 2)`: its forms, and those that are right."""
        return form_counts(lemmas_of(self.data.items), [self.right()])

    def measures(self, sums: NDArray[Any]) -> dict[str, Floats]:
        """Return the accuracy that follows from sums of counts, `(..., 2)`, as an array `(...)`."""
        return means(sums, ["accuracy"])
