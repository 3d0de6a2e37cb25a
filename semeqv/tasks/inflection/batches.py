"""Batches of forms."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from semeqv.tasks.classification.rows import Rows
from semeqv.tasks.inflection.scorer import FormScorer
from semeqv.tasks.inflection.spelling import Spelling
from semeqv.tasks.prompting.batches import AnswerBatches

if TYPE_CHECKING:
    from semeqv.tasks.inflection.reading import Form


class FormBatches(AnswerBatches):
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

    def scorer(self) -> Any:
        """What judges a pass over all rows."""
        return FormScorer(self)
