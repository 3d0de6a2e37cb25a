"""From forms and what was written in their place to scores and their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from semeqv.lazy import Floats, NDArray, numpy, torch
from semeqv.results.statistics import scored
from semeqv.tasks.prompting.scorers import logits_of
from semeqv.train.batches import Batch
from semeqv.train.metrics import Scorer

if TYPE_CHECKING:
    from semeqv.tasks.inflection.dataset import Form, FormBatches


def judged(forms: Sequence[Form], values: Mapping[str, NDArray[Any]], replicates: int) -> dict[str, float]:
    """The means of some scores over forms.

    Args:
        forms: The forms.
        values: Scores of each form, `(forms,)`, by name.
        replicates: Bootstrap samples of the intervals; 0 for none.

    Returns:
        The means, and in `NAME_low` and `NAME_high` their 95% intervals; lemmas are drawn, with all their forms.
    """
    return scored(counted(forms, list(values.values())), lambda sums: means(sums, list(values)), replicates)


def counted(forms: Sequence[Form], values: Sequence[NDArray[Any]]) -> Floats:
    """Sum up the scores of forms, lemma by lemma.

    Args:
        forms: The forms.
        values: Scores of each, each `(forms,)`.

    Returns:
        `(lemmas, 1 + scores)`: how many forms each has, and the sum of each score.
    """
    lemmas = {lemma: number for number, lemma in enumerate(dict.fromkeys(form.lemma for form in forms))}
    owner = numpy.array([lemmas[form.lemma] for form in forms])
    return numpy.stack([numpy.bincount(owner, column) for column in (numpy.ones(len(forms)), *values)], axis=1)


def means(sums: NDArray[Any], names: Sequence[str]) -> dict[str, Any]:
    """The means that follow from sums.

    Args:
        sums: `(..., 1 + scores)`, as of `counted`.
        names: What to call the scores.

    Returns:
        Each `(...)`.
    """
    return {name: sums[..., place] / sums[..., 0] for place, name in enumerate(names, 1)}


def edit_distance(one: str, other: str) -> int:
    """The fewest characters to insert, delete or exchange to make one word of another (Levenshtein, 1966)."""
    before = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        row = [place]
        for above, (beyond, theirs) in enumerate(zip(before[1:], other)):
            row.append(min(beyond + 1, row[-1] + 1, before[above] + (letter != theirs)))
        before = row
    return before[-1]


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
        """Whether each form is right, `(rows,)`.

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
        """Whether each form is right, `(forms,)`."""
        data = self.data
        right = numpy.zeros(len(data.items), bool)
        right[data.passing] = numpy.concatenate(self.parts)
        for number, form in enumerate(data.items):  # a character that the tokenizer does not know is never right
            right[number] &= data.spelling.read(data.spelling.spelled(form.form)) == form.form
        return right

    def scores(self) -> dict[str, float]:
        """The accuracy, and in `accuracy_low` and `accuracy_high` its interval where the data set asks for it."""
        return judged(self.data.items, {"accuracy": self.right()}, self.data.replicates)

    def tally(self) -> Floats:
        """What is counted of each lemma, `(lemmas, 2)`: its forms, and those that are right."""
        return counted(self.data.items, [self.right()])

    def measures(self, sums: NDArray[Any]) -> dict[str, Floats]:
        """The accuracy that follows from sums of tallies, `(..., 2)`, as an array `(...)`."""
        return means(sums, ["accuracy"])
