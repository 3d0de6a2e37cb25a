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
    from semeqv.tasks.question_answering.questions import Question
    from semeqv.tasks.question_answering.squad import Squad


class QuestionBatches(LabelledBatches):
    """Questions as batches: `input_ids` `(batch, time)`, `start_positions` and `end_positions` `(batch,)`, 0 where the
    window does not hold the answer, and what else a model reads.

    Args:
        windows: The rows.
        questions: What is asked.
        options: The data set.
        pad: The token after the end of a row.
        typed: Whether the text is told from the question by its token type.
        longest: The most tokens of a row.
        facts: What is known of the data, for run.json.
    """

    def __init__(
        self,
        windows: Windows,
        questions: "tuple[Question, ...]",
        options: "Squad",
        *,
        pad: int,
        typed: bool,
        longest: int,
        facts: dict[str, Any],
    ):
        places = numpy.arange(len(windows.ends))
        rows = Rows(
            windows.tokens,
            windows.ends,
            numpy.zeros(len(places), numpy.int64),
            places + 1,
            places,
            types=windows.types if typed else None,
        )
        super().__init__(
            rows,
            questions,
            (),
            pad=pad,
            batch_size=options.batch_size,
            longest=longest,
            shuffle=options.shuffle and options.split == "train",
            grouping=options.grouping,
            replicates=options.replicates if options.split == "test" else 0,
            facts=facts,
        )
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
