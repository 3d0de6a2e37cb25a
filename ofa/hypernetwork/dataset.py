"""The options of the data of a hypernetwork."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from ofa.hypernetwork.config_file import NETWORK, TRAINING, fill
from ofa.hypernetwork.folder import MappingFolder, read_folder, split_of
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import NDArray, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.text.tokens.batches import generator

UNSAID: Any = None  # an option that the configuration file, else the usual value, decides


@component("ofa dataset mapping")
@dataclass(frozen=True, kw_only=True)
class MappingDataset:
    """Subwords of the old vocabulary as sets of word vectors, with their coordinates (HyperOFA, step 2).

    97% of the subwords that are part of a word are trained on, 2.5% validate, .5% test.

    Args:
        mapping: The folder that `cli ofa mapping` has written.
        split: Which part of the run reads it.
        name: Tells several sets of one split apart.
        seed: Of the split into parts, the same in every run.
        batch_size: Subwords in a batch; 256 if left out, where the file does not say it either.
        most_words: Words of a subword at most; of more, some are drawn. 256 if left out so.
        augment: In training, leave out some of the words of some subwords.
        augment_above: Only of subwords that have more words than this; 4 if left out so.
        augment_least: The share of the words that is kept at least; .5 if left out so.
        augment_most: The share that is kept at most; 1 if left out so.
        augment_probability: Of leaving out words of a subword; .5 if left out so (`augmentation_keep_all_percentage`,
            which is this probability in HyperOFA's code).
        hypernetwork_config_path: A YAML file of HyperOFA, for what is left out.
    """

    names: ClassVar[dict[str, tuple[str, str]]] = {
        "batch_size": (TRAINING, "batch_size"),
        "most_words": (NETWORK, "max_context_size"),
        "augment_above": (TRAINING, "augmentation_threshold"),
        "augment_least": (TRAINING, "augmentation_min_percentage"),
        "augment_most": (TRAINING, "augmentation_max_percentage"),
        "augment_probability": (TRAINING, "augmentation_keep_all_percentage"),
    }

    mapping: Path
    split: Literal["train", "validation", "test"] = "train"
    name: str | None = None
    seed: int = 14
    batch_size: int = UNSAID
    most_words: int = UNSAID
    augment: bool = True
    augment_above: int = UNSAID
    augment_least: float = UNSAID
    augment_most: float = UNSAID
    augment_probability: float = UNSAID
    hypernetwork_config_path: Path | None = None

    def __post_init__(self) -> None:
        usual = {"batch_size": 256, "most_words": 256, "augment_above": 4}
        fill(self, self.names, usual | {"augment_least": 0.5, "augment_most": 1.0, "augment_probability": 0.5})
        check_bounds(self, batch_size=1, most_words=1, seed=0, augment_above=0)
        check_bounds(self, augment_least=(0, 1), augment_most=(self.augment_least, 1), augment_probability=(0, 1))

    def build(self) -> Any:
        """Make the data; `UserError` is raised when there is no mapping."""
        folder = read_folder(self.mapping)
        subwords = split_of(folder.trained, self.split, self.seed)
        facts = {"mapping": folder.facts, "subwords": len(subwords), "split seed": self.seed}
        return SubwordBatches(
            folder,
            subwords,
            rows=self.batch_size,
            most_words=self.most_words,
            leaving=Leaving(self.augment_above, self.augment_least, self.augment_most, self.augment_probability)
            if self.augment
            else None,
            facts=facts,
        )


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
        self.described = facts

    def __len__(self) -> int:
        """Batches in an epoch; subwords that do not fill one are left for the next epoch's order."""
        return len(self.subwords) // self.rows

    def stream(self, seed: int, start: int = 0) -> Iterator[dict[str, torch.Tensor]]:
        """Training batches without end, from a step on; subwords with about as many words stand together."""
        step = start
        while True:
            epoch, place = divmod(step, len(self))
            if step == start or place == 0:
                order = self.order(seed, epoch)
            yield self.made(order[place], generator(step, seed, 4), self.leaving)
            step += 1

    def order(self, seed: int, epoch: int) -> NDArray[numpy.int64]:
        """Return the subwords of the batches of an epoch, `(batches, rows)`."""
        draw = generator(epoch, seed, 5)
        order = draw.permutation(self.subwords)[: len(self) * self.rows]
        degree = self.folder.source.degree
        groups = [order[start : start + GROUP * self.rows] for start in range(0, len(order), GROUP * self.rows)]
        order = numpy.concatenate([group[numpy.argsort(degree[group], kind="stable")] for group in groups])
        return draw.permutation(order.reshape(len(self), self.rows))

    def batches(self) -> Iterator[dict[str, torch.Tensor]]:
        """Pass over all subwords, in their order; what is drawn is the same in every pass."""
        for step, start in enumerate(range(0, len(self.subwords), self.rows)):
            yield self.made(self.subwords[start : start + self.rows], generator(step, 0, 6), None)

    def made(
        self, subwords: NDArray[numpy.int64], draw: numpy.random.Generator, leaving: Leaving | None
    ) -> dict[str, torch.Tensor]:
        """Make the batch of some subwords."""
        sets = [
            choose_words(self.folder.source.word_set(subword), self.most_words, leaving, draw) for subword in subwords
        ]
        return {**pad(sets, self.folder.vectors), "labels": self.folder.coordinates[torch.from_numpy(subwords)]}

    def facts(self) -> dict[str, Any]:
        """Return what is known of the data."""
        return self.described


def choose_words(
    words: NDArray[numpy.int64], most: int, leaving: Leaving | None, draw: numpy.random.Generator
) -> NDArray[numpy.int64]:
    """Choose the words of a subword that are shown: at most so many, and in training some are left out.

    As in HyperOFA's code (Özeren, Liu & Schütze, 2025), the number that is kept is rounded down, and at least one.
    """
    count = len(words)
    if leaving is not None and count > leaving.above and draw.random() < leaving.probability:
        count = max(int(count * draw.uniform(leaving.least, leaving.most)), 1)
    count = min(count, most)
    return words if count == len(words) else words[numpy.sort(draw.permutation(len(words))[:count])]


def pad(sets: list[NDArray[numpy.int64]], vectors: NDArray[numpy.float32]) -> dict[str, torch.Tensor]:
    """Pad sets of words to one size.

    Args:
        sets: Rows of the vectors, of each subword.
        vectors: `(words, width)`.

    Returns:
        `vectors`: `(subwords, most words, width)`; `mask`: `(subwords, most words)`, where there is a word.
    """
    lengths = numpy.array([len(each) for each in sets])
    real = numpy.arange(max(lengths.max(initial=0), 1)) < lengths[:, None]
    batch = numpy.zeros((*real.shape, vectors.shape[1]), numpy.float32)
    if lengths.any():
        batch[real] = vectors[numpy.concatenate(sets)]
    return {"vectors": torch.from_numpy(batch), "mask": torch.from_numpy(real)}
