"""Judges the labels that a model gives to a whole data set."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy
from torch import Tensor

from semeqv.engine.batches import Batch
from semeqv.engine.scoring import Scorer
from semeqv.tasks.bootstrap import intervals
from semeqv.tasks.classification.official import entity_scores as official_scores
from semeqv.tasks.classification.rows import UNLABELLED, Integers
from semeqv.tasks.classification.tallies import entity_scores, entity_tally, label_scores, label_tally

if TYPE_CHECKING:
    from semeqv.tasks.classification.batches import LabelledBatches


class LabelScorer(Scorer):
    """Judges labels of words or of texts: entities by F1, others by accuracy and macro F1.

    Args:
        data: What is labelled.
    """

    def __init__(self, data: "LabelledBatches"):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, Tensor], batch: Batch) -> Any:
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
        data, predicted = self.data, self.predicted()
        rows, gold = data.rows, data.rows.labels
        asked = gold != UNLABELLED
        sentence = numpy.repeat(rows.sentences, data.label_lengths)
        known = (gold[asked], predicted[asked], sentence[asked], len(data.items))
        scores: Any = label_scores
        if data.entities:
            scores, (tally, _) = entity_scores, entity_tally(*known, data.labels)
        else:
            tally = label_tally(*known, len(data.labels))
        found = {name: float(value) for name, value in scores(tally.sum(0)).items()}
        if not data.replicates:
            return found
        if data.entities:
            found |= official_scores(self.tags(gold), self.tags(predicted))
        for name, ends in intervals(tally, scores, data.replicates).items():
            found |= dict(zip((f"{name}_low", f"{name}_high"), ends))
        return found

    def tags(self, labels: Integers) -> list[list[str]]:
        """The names of labels, `(labels,)`, sentence by sentence."""
        names = numpy.array([*self.data.labels, ""])[numpy.where(labels == UNLABELLED, -1, labels)]
        sizes = numpy.bincount(
            self.data.rows.sentences, self.data.label_lengths, minlength=len(self.data.items)
        ).astype(numpy.int64)
        return [part.tolist() for part in numpy.split(names, numpy.cumsum(sizes)[:-1])]

    def predictions(self) -> Iterator[dict[str, Any]]:
        """What each sentence says, its labels, and those that were predicted; yields them in their order."""
        said = zip(self.data.items, self.tags(self.data.rows.labels), self.tags(self.predicted()))
        for number, (item, labels, predicted) in enumerate(said):
            if self.data.rows.words is None:
                yield {"sentence": number, "texts": item.texts, "label": labels[0], "predicted": predicted[0]}
            else:
                yield {"sentence": number, "words": item.texts, "labels": labels, "predicted": predicted}
