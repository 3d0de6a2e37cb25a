"""Batches of questions with windows on their texts."""

from typing import TYPE_CHECKING, Any

import numpy
import torch
from torch import Tensor

from semeqv.tasks.classification.batches import LabelledBatches
from semeqv.tasks.classification.rows import Integers, Rows
from semeqv.tasks.question_answering.scorer import AnswerScorer
from semeqv.tasks.question_answering.windows import Windows

if TYPE_CHECKING:
    from semeqv.tasks.question_answering.dataset import Squad
    from semeqv.tasks.question_answering.questions import Question


class QuestionBatches(LabelledBatches):
    """Questions as batches: `input_ids` `(batch, time)`, `start_positions` and `end_positions` `(batch,)`, 0 where the
    window does not hold the answer, and what else a model reads.

    Args:
        windows: The rows.
        questions: What is asked.
        options: The data set.
        **rest: As of `LabelledBatches`.
    """

    def __init__(self, windows: Windows, questions: "tuple[Question, ...]", options: "Squad", **rest: Any):
        places = numpy.arange(len(windows.ends))
        rows = Rows(
            windows.tokens,
            windows.ends,
            numpy.zeros(len(places), numpy.int64),
            places + 1,
            places,
            types=windows.types if windows.types.any() else None,
        )
        super().__init__(rows, questions, (), **rest)
        self.windows, self.options = windows, options

    @property
    def model_word(self) -> str:
        """The word of the models that it is for."""
        return "question-answerer"

    def made(self, chosen: Integers) -> dict[str, Tensor]:
        """The batch of some rows."""
        batch = super().made(chosen)
        del batch["labels"]  # a row has no label, but a place
        places = {"start_positions": self.windows.first, "end_positions": self.windows.last}
        return batch | {name: torch.from_numpy(values[chosen]) for name, values in places.items()}

    def scorer(self) -> Any:
        """What judges a pass over all rows."""
        return AnswerScorer(self)
