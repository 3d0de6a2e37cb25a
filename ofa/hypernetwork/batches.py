"""Subwords as sets of word vectors, with the coordinates that they have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from ofa.hypernetwork.folder import MappingFolder
from semeqv.runs.errors import UserError
from semeqv.text.tokens.batches import generator

GROUP = 32  # batches whose subwords are sorted by how many words they have, so that little is padding


@dataclass(frozen=True)
class Leaving:
    """How words of a subword are left out in training.

    Args:
        above: Of subwords with more words than this.
        least: The share that is kept at least.
        most: The share that is kept at most.
        probability: Of leaving out words at all.
    """

    above: int = 4
    least: float = 0.5
    most: float = 1.0
    probability: float = 0.5


class SubwordBatches:
    """A data set of subwords.

    Args:
        folder: The mapping.
        subwords: Which old subwords.
        rows: Subwords of a batch.
        most_words: Words of a subword at most; of more, some are drawn.
        leaving: How training leaves out words of a subword; None where it does not.
        facts: What is known of the data, for run.json.

    Raises:
        UserError: When there is no subword.
    """

    def __init__(
        self,
        folder: MappingFolder,
        subwords: NDArray[numpy.int64],
        *,
        rows: int,
        most_words: int,
        leaving: Leaving | None,
        facts: dict[str, Any],
    ):
        if not len(subwords):
            raise UserError("No old subword is part of a word of the vectors; there is nothing to train on.")
        self.folder, self.subwords, self.most_words, self.leaving = folder, subwords, most_words, leaving
        self.rows = min(rows, len(subwords))
        self.width, self.kept = int(folder.vectors.shape[1]), int(folder.coordinates.shape[1])
        self.said = facts

    def __len__(self) -> int:
        """Batches in an epoch; subwords that do not fill one are left for the next epoch's order."""
        return len(self.subwords) // self.rows

    def stream(self, seed: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Training batches without end, from a step on; subwords with about as many words stand together."""
        step = start
        while True:
            epoch, place = divmod(step, len(self))
            if step == start or place == 0:
                order = self.order(seed, epoch)
            yield self.made(order[place], generator(step, seed, 4), self.leaving)
            step += 1

    def order(self, seed: int, epoch: int) -> NDArray[numpy.int64]:
        """The subwords of the batches of an epoch, `(batches, rows)`."""
        draw = generator(epoch, seed, 5)
        order = draw.permutation(self.subwords)[: len(self) * self.rows]
        degree = self.folder.source.degree
        groups = [order[start : start + GROUP * self.rows] for start in range(0, len(order), GROUP * self.rows)]
        order = numpy.concatenate([group[numpy.argsort(degree[group], kind="stable")] for group in groups])
        return draw.permutation(order.reshape(len(self), self.rows))

    def batches(self) -> Iterator[dict[str, Tensor]]:
        """One pass over all subwords, in their order; what is drawn is the same in every pass."""
        for step, start in enumerate(range(0, len(self.subwords), self.rows)):
            yield self.made(self.subwords[start : start + self.rows], generator(step, 0, 6), None)

    def made(
        self, subwords: NDArray[numpy.int64], draw: numpy.random.Generator, leaving: Leaving | None
    ) -> dict[str, Tensor]:
        """The batch of some subwords."""
        sets = [chosen(self.folder.source.word_set(subword), self.most_words, leaving, draw) for subword in subwords]
        return {**padded(sets, self.folder.vectors), "labels": self.folder.coordinates[torch.from_numpy(subwords)]}

    def facts(self) -> dict[str, Any]:
        """What is known of the data."""
        return self.said


def chosen(
    words: NDArray[numpy.int64], most: int, leaving: Leaving | None, draw: numpy.random.Generator
) -> NDArray[numpy.int64]:
    """The words of a subword that are shown: at most so many, and in training some are left out.

    As in HyperOFA's code (Özeren, Liu & Schütze, 2025), the number that is kept is rounded down, and at least one.
    """
    count = len(words)
    if leaving is not None and count > leaving.above and draw.random() < leaving.probability:
        count = max(int(count * draw.uniform(leaving.least, leaving.most)), 1)
    count = min(count, most)
    return words if count == len(words) else words[numpy.sort(draw.permutation(len(words))[:count])]


def padded(sets: list[NDArray[numpy.int64]], vectors: NDArray[numpy.float32]) -> dict[str, Tensor]:
    """The vectors of sets of words.

    Args:
        sets: Rows of the vectors, of each subword.
        vectors: `(words, width)`.

    Returns:
        `vectors`: `(subwords, most words, width)`; `mask`: `(subwords, most words)`, where there is a word.
    """
    lengths = numpy.array([len(each) for each in sets])
    real = numpy.arange(max(lengths.max(initial=0), 1)) < lengths[:, None]
    found = numpy.zeros((*real.shape, vectors.shape[1]), numpy.float32)
    if lengths.any():
        found[real] = vectors[numpy.concatenate(sets)]
    return {"vectors": torch.from_numpy(found), "mask": torch.from_numpy(real)}
