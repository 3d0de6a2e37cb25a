"""Judges the forms that a model would write, from one look at the right ones."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray
from torch import Tensor

from semeqv.tasks.inflection.metrics import Floats, counted, judged, means
from semeqv.tasks.prompting.scorers import logits_of
from semeqv.train.batches import Batch
from semeqv.train.scoring import Scorer

if TYPE_CHECKING:
    from semeqv.tasks.inflection.batches import FormBatches


class FormScorer(Scorer):
    """Accuracy of forms. A model that always takes the likeliest token writes the right form if, and only if, each
    token of the right form is the likeliest after those before it: so nothing needs to be generated. What it would
    write in place of a form that is wrong cannot be told so; `cli inflect` writes it.

    It is a `Tallied` scorer (see `semeqv.results.bootstrap`), so that models can be compared on samples of lemmas.

    Args:
        data: The forms.
    """

    def __init__(self, data: "FormBatches"):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, Tensor], batch: Batch) -> Any:
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
