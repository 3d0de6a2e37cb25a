"""Judges the answers that a model gives to all questions of a data set."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
from numpy.typing import NDArray
from torch import Tensor

from semeqv.tasks.question_answering.metrics import counted, judged, shares
from semeqv.train.batches import Batch
from semeqv.train.scoring import Scorer

if TYPE_CHECKING:
    from semeqv.tasks.question_answering.batches import QuestionBatches

Floats = NDArray[numpy.float64]


class Span(NamedTuple):
    """The best answer so far.

    Args:
        score: The sum of the logits of its first and its last token.
        begin: Where it begins in the text, in characters.
        finish: Where it ends.
    """

    score: float
    begin: int
    finish: int


class AnswerScorer(Scorer):
    """Finds the best span of each text, and judges all answers: exact match and F1.

    It is a `Tallied` scorer (see `semeqv.results.bootstrap`), so that models can be compared on samples of texts.

    Args:
        data: The questions.
    """

    def __init__(self, data: "QuestionBatches"):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, Tensor], batch: Batch) -> Any:
        """The logits of the first and the last token, `(2, rows, time)`."""
        return numpy.stack([outputs[name].float().cpu().numpy() for name in ("start_logits", "end_logits")])

    def answers(self) -> list[str]:
        """The answer to each question; empty where the model says that there is none."""
        data, rows = self.data, self.data.windows
        best = [Span(-numpy.inf, 0, 0)] * len(data.items)
        nothing = numpy.full(len(data.items), numpy.inf)  # the least score of no answer over all windows
        row = iter(data.passing.tolist())
        for part in self.parts:
            for starts, ends in zip(*part.astype(numpy.float64)):
                number = next(row)
                place = slice(data.starts[number], rows.ends[number])
                begins, finishes, question = rows.begins[place], rows.finishes[place], rows.questions[number]
                nothing[question] = min(nothing[question], starts[0] + ends[0])
                size = len(begins)
                found = best_span(starts[:size], ends[:size], begins >= 0, data.options.longest_answer)
                if found is not None and found[0] > best[question].score:
                    score, first, last = found
                    best[question] = Span(score, int(begins[first]), int(finishes[last]))
        # Where every question has an answer, one is always given.
        possible = any(not question.answers for question in data.items)
        silent = nothing > numpy.array([span.score for span in best]) + data.options.threshold
        return [
            "" if possible and none else question.context[span.begin : span.finish]
            for question, span, none in zip(data.items, best, silent)
        ]

    def scores(self) -> dict[str, float]:
        """The scores, and in `NAME_low` and `NAME_high` their intervals where the data set asks for them."""
        data = self.data
        return judged(data.items, self.answers(), data.replicates, characters=data.options.characters)

    def tally(self) -> Floats:
        """What is counted in each text, `(texts, 6)`; see `counted`."""
        return counted(self.data.items, self.answers(), self.data.options.characters)

    def measures(self, sums: Floats) -> Mapping[str, Floats]:
        """Exact match and F1 from sums of tallies, `(..., 6)`, each `(...)`."""
        return {name: share for name, share in shares(sums).items() if name in ("exact", "f1")}

    def predictions(self) -> Iterator[dict[str, Any]]:
        """Each question, its answers, and the one that was given; yields them in their order."""
        for number, (question, answer) in enumerate(zip(self.data.items, self.answers())):
            yield {
                "sentence": number,
                "id": question.name,
                "texts": [question.text],
                "label": [said.text for said in question.answers],
                "predicted": answer,
            }


def best_span(
    starts: Floats, ends: Floats, allowed: NDArray[numpy.bool_], longest: int
) -> tuple[float, int, int] | None:
    """The span whose first and last token have the highest sum of scores; of equal ones the first and shortest.

    Args:
        starts: Of each token to be the first, `(time,)`.
        ends: To be the last, `(time,)`.
        allowed: Which tokens there may be in it, `(time,)`; they stand together.
        longest: How many tokens it may have.

    Returns:
        The sum, the first and the last token; None when no token is allowed.
    """
    places = numpy.flatnonzero(allowed)
    if not len(places):
        return None
    starts, ends, best = starts[places], ends[places], None
    for distance in range(min(longest, len(places))):
        sums = starts[: len(starts) - distance] + ends[distance:]
        first = int(sums.argmax())
        candidate = (float(sums[first]), -first, -distance)
        best = candidate if best is None else max(best, candidate)
    assert best is not None
    score, first, distance = best[0], -best[1], -best[2]
    return score, int(places[first]), int(places[first + distance])
