"""Batches of forms."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy
from torch import Tensor

from semeqv.tasks.classification.batches import LabelledBatches, taken
from semeqv.tasks.classification.rows import UNLABELLED, Integers, Rows
from semeqv.tasks.inflection.scorer import FormScorer
from semeqv.tasks.inflection.spelling import Spelling

if TYPE_CHECKING:
    from semeqv.tasks.inflection.reading import Form


class FormBatches(LabelledBatches):
    """Forms as batches: `input_ids` and `labels` `(batch, time)`, -100 on features and lemma, and `attention_mask`.

    Args:
        rows: The rows, whose labels are their tokens.
        forms: The forms.
        spelling: How they are spelled.
        **options: As of `LabelledBatches`.
    """

    def __init__(self, rows: Rows, forms: "Sequence[Form]", spelling: Spelling, **options: Any):
        super().__init__(rows, forms, (), **options)
        self.spelling = spelling

    @property
    def model_word(self) -> str:
        """The word of the models that it is for."""
        return "causal-lm"

    def made(self, chosen: Integers) -> dict[str, Tensor]:
        """The batch of some rows."""
        batch = super().made(chosen)
        width = batch["input_ids"].shape[1]
        places, real = self.starts[chosen, None] + numpy.arange(width), numpy.arange(width) < self.lengths[chosen, None]
        return batch | {"labels": taken(self.rows.labels, places, real, UNLABELLED)}

    def scorer(self) -> Any:
        """What judges a pass over all rows."""
        return FormScorer(self)
