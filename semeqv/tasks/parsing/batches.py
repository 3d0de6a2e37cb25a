"""Batches of sentences with their trees."""

from collections.abc import Sequence
from typing import Any

import numpy
from torch import Tensor

from semeqv.tasks.classification.batches import MULTIPLE, LabelledBatches, taken
from semeqv.tasks.classification.rows import UNLABELLED, Integers
from semeqv.tasks.parsing.metrics import TreeScorer
from semeqv.tasks.parsing.rows import TreeRows
from semeqv.text.records import Sentence


class TreeBatches(LabelledBatches):
    """A treebank as batches: `input_ids` and `words` `(batch, time)`; `labels` (the head of each word, counted from 1,
    0 for the root), `relations` and `tags` `(batch, words)`, -100 where nothing is said; and what else a model reads.

    Args:
        rows: The rows, one for each sentence, and their trees.
        sentences: The sentences.
        relations: The names of the relations, by their numbers.
        tags: The names of the parts of speech.
        annotated: Whether the sentences have trees to be compared with.
        **options: As of `LabelledBatches`.
    """

    def __init__(
        self,
        rows: TreeRows,
        sentences: Sequence[Sentence],
        relations: Sequence[str],
        tags: Sequence[str],
        *,
        annotated: bool = True,
        **options: Any,
    ):
        super().__init__(rows.rows, sentences, relations, **options)
        self.trees, self.read, self.tags, self.annotated = rows.trees, rows.read, list(tags), annotated

    @property
    def model_word(self) -> str:
        """The word of the models that it is for."""
        return "parser"

    def made(self, chosen: Integers) -> dict[str, Tensor]:
        """The batch of some rows."""
        counts = self.label_lengths[chosen]
        columns = numpy.arange(-(-int(counts.max()) // MULTIPLE) * MULTIPLE)
        places, real = self.label_starts[chosen, None] + columns, columns < counts[:, None]
        named = {"labels": self.trees.heads, "relations": self.trees.relations, "tags": self.trees.tags}
        return super().made(chosen) | {name: taken(values, places, real, UNLABELLED) for name, values in named.items()}

    def scorer(self) -> Any:
        """What judges a pass over all rows."""
        return TreeScorer(self)
