"""Judges the labels that a model gives to a whole data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from semeqv.lazy import Floats, Integers, NDArray, numpy, torch
from semeqv.tasks.classification.metrics import entity_scores, judged, label_scores, named, tally_of
from semeqv.tasks.classification.rows import UNLABELLED
from semeqv.train.batches import Batch
from semeqv.train.metrics import Scorer

if TYPE_CHECKING:
    from semeqv.tasks.classification.batches import LabelledBatches


class LabelScorer(Scorer):
    """Judges labels of words or of texts: entities by F1, others by accuracy and macro F1.

    It is a `Tallied` scorer (see `semeqv.results.statistics`), so that models can be compared on samples of sentences.

    Args:
        data: What is labelled.
    """

    def __init__(self, data: LabelledBatches):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, torch.Tensor], batch: Batch) -> Any:
        """The likeliest labels, `(rows, words)` or `(rows,)`."""
        return outputs["logits"].argmax(-1).cpu().numpy()

    def predicted(self) -> Integers:
        """The likeliest label of every word or text, `(labels,)`, sentence after sentence."""
        data, start = self.data, 0
        found = numpy.full(len(data.rows.labels), UNLABELLED)
        for part in self.parts:
            rows = data.passing[start : start + len(part)]
            labels = part if part.ndim > 1 else part[:, None]  # (rows, words)
            columns = numpy.arange(labels.shape[1])
            real = columns < data.label_lengths[rows, None]
            found[(data.label_starts[rows, None] + columns)[real]] = labels[real]
            start += len(part)
        return found

    def scores(self) -> dict[str, float]:
        """The scores, and in `NAME_low` and `NAME_high` their intervals where the data set asks for them."""
        data = self.data
        return judged(
            data.gold,
            self.predicted(),
            data.label_counts(),
            data.labels,
            entities=data.entities,
            replicates=data.replicates,
        )

    def tally(self) -> Integers:
        """What is counted in each sentence, `(sentences, 3, classes)`."""
        data = self.data
        return tally_of(data.gold, self.predicted(), data.label_counts(), data.labels, entities=data.entities)

    def measures(self, sums: NDArray[Any]) -> Mapping[str, Floats]:
        """The scores that follow from sums of tallies, `(..., 3, classes)`, each `(...)`."""
        return entity_scores(sums) if self.data.entities else label_scores(sums)

    def predictions(self) -> Iterator[dict[str, Any]]:
        """What each sentence says, its labels, and those that were predicted; yields them in their order."""
        data = self.data
        both = (named(labels, data.label_counts(), data.labels) for labels in (data.gold, self.predicted()))
        for number, (item, labels, predicted) in enumerate(zip(data.items, *both)):
            if not data.of_words:
                yield {"sentence": number, "texts": item.texts, "label": labels[0], "predicted": predicted[0]}
            else:
                yield {"sentence": number, "words": item.texts, "labels": labels, "predicted": predicted}
