"""Strings of bits and their parity, each bit written with one of its two symbols, one of them masked."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, TypeAlias

from semeqv.lazy import NDArray, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.tying.xor.split import Split


def checked(name: str, probabilities: Sequence[float]) -> tuple[float, float]:
    """One or two probabilities as two that sum to exactly 1.

    Args:
        name: What they are called, for errors.
        probabilities: One, which must be 1, or two.

    Returns:
        The probabilities of the first and the second symbol; the second is 0 where one was given.

    Raises:
        ValueError: When there are none or more than two, one is negative, or the sum is not 1 within 1e-6.
    """
    said = " ".join(f"{p:g}" for p in probabilities)
    if not 1 <= len(probabilities) <= 2:
        raise ValueError(f"{name} takes one or two probabilities, such as .1 .9 or [.1,.9]; not {said or 'none'}.")
    if any(not p >= 0 for p in probabilities):
        raise ValueError(f"{name} {said}: a probability cannot be negative.")
    if not abs(sum(probabilities) - 1) <= 1e-6:
        raise ValueError(f"{name} {said} sums to {sum(probabilities):g}; probabilities sum to 1.")
    first = float(probabilities[0]) / sum(probabilities)
    return first, 1.0 - first


EVEN, MASK = 4, 6


class Decoder:
    """Writes strings of bits in symbols, adds their parity and masks one bit.

    Args:
        size: How many bits a string has.
        distributions: The probabilities of the two symbols of a zero and of the two of a one.
    """

    def __init__(self, size: int, distributions: tuple[tuple[float, float], tuple[float, float]]):
        self.size = size
        firsts = numpy.array([round(first * 2**32) for first, _ in distributions])
        # A word below the threshold is the first symbol, any other the second, one above it. A first symbol that is
        # certain has a threshold no word has room for: such a bit always moves up one, from one below.
        certain = firsts == 2**32
        self.thresholds = numpy.where(certain, 0, firsts).astype(numpy.uint32)
        self.bases = (numpy.array([0, 2]) - certain).astype(numpy.int8)

    def decode(
        self, words: NDArray[numpy.uint32], strings: NDArray[numpy.int64]
    ) -> tuple[NDArray[numpy.int32], NDArray[numpy.int32]]:
        """Decode several batches at once.

        Args:
            words: `(steps, (size + 1) * batch)`: one word for each bit, then one for the masked position.
            strings: `(steps, batch)`, or `(1, batch)` when all steps hold the same strings; each is a number.

        Returns:
            The symbols, `(steps, size + 1, batch)`, and those under the masks, `(steps, batch)`.
        """
        steps, batch = len(words), strings.shape[1]
        words = words.reshape(steps, self.size + 1, batch)
        places = numpy.arange(self.size)[::-1, None]  # the most significant bit is written first, as in the original
        bits = strings[:, None] >> places & 1  # (steps or 1, size, batch)
        symbols = numpy.empty(words.shape, numpy.int32)
        second = words[:, :-1] >= self.thresholds[bits]
        numpy.add(second.view(numpy.int8), self.bases[bits], out=symbols[:, :-1])
        symbols[:, -1] = EVEN + bits.sum(1) % 2
        positions = (words[:, -1].astype(numpy.uint64) * numpy.uint64(self.size) >> numpy.uint64(32)).astype(
            numpy.int64
        )
        samples = numpy.arange(steps)[:, None] * symbols[0].size + numpy.arange(batch)
        masked = samples + positions * batch
        flat = symbols.reshape(-1)
        labels = flat[masked]
        flat[masked] = MASK
        return symbols, labels


# The place of a purpose makes its key: "split", which nothing draws any more, keeps the keys of the others.
PURPOSES = ("split", "order", "stream", "train", "validation", "test")


def random_rows(seed: int, purpose: str, start: int, rows: int, words: int) -> NDArray[numpy.uint32]:
    """Draw rows of uniform 32-bit words.

    Args:
        seed: Any integer that is not negative.
        purpose: What the words are for, one of `PURPOSES`; different purposes share nothing.
        start: The address of the first row.
        rows: How many rows to draw.
        words: How many words a row has; rows of another width are other rows.

    Returns:
        `(rows, words)`.
    """
    blocks = -(-words // 8)  # the counter counts blocks of eight words
    drawn = numpy.random.Philox(key=_key(seed, purpose), counter=start * blocks).random_raw(rows * blocks * 4)
    return drawn.view(numpy.uint32).reshape(rows, -1)[:, :words]


def random_orders(seed: int, purpose: str, start: int, rows: int, size: int) -> NDArray[numpy.int64]:
    """Draw permutations of `size` things, `(rows, size)`; the other arguments are those of `random_rows`."""
    words = random_rows(seed, purpose, start, rows, 2 * size + size % 2 * 2)
    return numpy.argsort(numpy.ascontiguousarray(words).view(numpy.uint64)[:, :size], axis=1)


@lru_cache
def _key(seed: int, purpose: str) -> NDArray[numpy.uint64]:
    sequence = numpy.random.SeedSequence(seed, spawn_key=(PURPOSES.index(purpose),))
    return sequence.generate_state(2, numpy.uint64).astype(numpy.uint64, copy=False)


STEPS = 64  # decoded at once, at most
SYMBOLS_AT_ONCE = 2**19

Batch: TypeAlias = "dict[str, torch.Tensor]"


class XorSamples:
    """Batches of masked bit strings, each followed by its parity.

    The symbols are the zeros 0 and 1, the ones 2 and 3, even parity 4, odd parity 5 and the mask 6. A batch is
    `{"input_ids": (..., batch, size + 1), "labels": (..., batch)}`, both int32: one bit of every row is masked, never
    the parity, and the label is the symbol under the mask. In memory `input_ids` has its samples innermost.

    Each time a string is drawn for training, every bit picks one of its two symbols and the masked position is drawn
    anew: a pure function of (seed, step), as the order of the strings is of (seed, epoch), so that a stream can be
    entered anywhere. The other splits are drawn once.

    Args:
        size: How many bits a string has.
        zero_distribution: The probabilities of the symbols 0 and 1, by which a zero is written.
        one_distribution: The probabilities of the symbols 2 and 3, by which a one is written.
        split_seed: Chooses the strings of each split, and draws what is drawn once; not what is sampled in training.
        batch_size: How many strings a batch has.
        shuffle: Whether each training epoch has an order of its own.
        drop_last: Whether to leave out a last batch that is not full.
        split: `train`, `validation` or `test`.
        draws: How many times each string of a validation or test split is drawn.
        **division: Further options of `Split`, which says which strings a split has.

    Raises:
        UserError: The split has no string, or no batch is full and `drop_last` is on.
    """

    vocabulary_size = 7
    mask = MASK

    def __init__(
        self,
        *,
        size: int = 10,
        zero_distribution: Sequence[float] = (1.0,),
        one_distribution: Sequence[float] = (1.0,),
        split_seed: int = 14,
        batch_size: int = 100,
        shuffle: bool = True,
        drop_last: bool = True,
        split: str = "train",
        draws: int = 1,
        **division: Any,
    ):
        self.sequence_size, self.seed, self.split = size + 1, split_seed, split
        self.division = Split(size=size, split_seed=split_seed, **division)
        self.distributions = (
            checked("zero_distribution", zero_distribution),
            checked("one_distribution", one_distribution),
        )
        self.strings = numpy.tile(self.division.strings(split), draws)
        strings = len(self.strings)
        self._batches = strings // batch_size if drop_last else math.ceil(strings / batch_size)
        if not self._batches:
            raise UserError(
                f"No batch of {batch_size} can be made of the {strings} strings of the {split} split. Write a smaller "
                "--batch_size, or --drop_last False."
            )
        self.batch_size = min(batch_size, strings)
        self.shuffle = shuffle and self.batch_size < strings  # a batch that holds every string needs no order
        self._decoder = Decoder(size, self.distributions)
        self._definition = {
            "size": size,
            "distributions": self.distributions,
            "seed": split_seed,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "batches": self._batches,
            "split": split,
            "draws": draws,
        }

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return self._batches

    @property
    def bayes_accuracy(self) -> float:
        """The accuracy of a reader that knows each bit and its distribution, zeros being as frequent as ones."""
        return sum(max(distribution) for distribution in self.distributions) / 2

    @property
    def bayes_loss(self) -> float:
        """The cross-entropy of the reader of `bayes_accuracy`, in nats."""
        return sum(-p * math.log(p) for distribution in self.distributions for p in distribution if p > 0) / 2

    def pairs(self) -> list[tuple[int, int]]:
        """Name the pairs of symbols that write the same bit, (0, 1) and (2, 3), of which both are ever emitted."""
        return [(2 * bit, 2 * bit + 1) for bit, distribution in enumerate(self.distributions) if min(distribution) > 0]

    def facts(self) -> dict[str, Any]:
        """Say what defines the data and what is best possible on it, as JSON can hold it."""
        definition = hashlib.sha256(json.dumps(self._definition, sort_keys=True).encode())
        definition.update(self.strings.astype("<i8").tobytes())
        return {
            "vocabulary_size": self.vocabulary_size,
            "strings": len(set(self.strings.tolist())),
            "split": self.division.facts(),
            "bayes_accuracy": self.bayes_accuracy,
            "bayes_loss": self.bayes_loss,
            "pairs": [list(pair) for pair in self.pairs()],
            "hash": definition.hexdigest(),
        }

    def stream(self, seed: int, start: int = 0) -> Iterator[Batch]:
        """Sample training batches without end.

        `replica_stream` raises `ValueError` when the split is drawn once, or the seed or the start is negative.

        Args:
            seed: The run's seed.
            start: The step to begin at; every step is what a stream from 0 gives there.

        Returns:
            Batches, `input_ids` of `(batch, size + 1)` and `labels` of `(batch,)`.
        """
        batches = self.replica_stream([seed], start)
        return ({name: tensor[0] for name, tensor in batch.items()} for batch in batches)

    def replica_stream(self, seeds: Sequence[int], start: int = 0) -> Iterator[Batch]:
        """Sample the training batches of several runs side by side.

        Args:
            seeds: The seed of each replica: replica r is given what `stream(seeds[r])` gives.
            start: The step to begin at.

        Returns:
            Batches with a leading replica dimension, without end: `input_ids` of `(replicas, batch, size + 1)` and
            `labels` of `(replicas, batch)`.

        Raises:
            ValueError: The split is drawn once, there is no seed, or a seed or the start is negative.
        """
        if self.split != "train":
            raise ValueError(f"the {self.split} split is drawn once: read it with batches()")
        if not seeds or min(*seeds, start, 0) < 0:
            raise ValueError(f"a stream needs seeds and a start that are not negative, not {list(seeds)} and {start}")
        return self._replica_stream(list(seeds), start)

    def batches(self) -> Iterator[Batch]:
        """Give one pass over the split, drawn once from the data's own seed, always the same and in the same order."""
        rows = self._in_batches(numpy.arange(len(self.strings))[None])
        for first in range(0, len(self), STEPS):
            drawn = self._draw(self.seed, self.split, first, rows[first : first + STEPS])
            yield from self._views(first, *drawn)

    def _replica_stream(self, seeds: list[int], start: int) -> Iterator[Batch]:
        distinct = list(dict.fromkeys(seeds))  # the tied and the untied replica of a seed see the same samples
        places = [distinct.index(seed) for seed in seeds]
        epochs = max(1, STEPS // len(self))  # whose orders are drawn together
        steps = epochs * len(self)
        at_once = max(1, min(STEPS, SYMBOLS_AT_ONCE // (len(distinct) * self.batch_size * self.sequence_size)))
        for block in count(start // steps):
            sampled = [(seed, self._in_batches(self._orders(seed, block * epochs, epochs))) for seed in distinct]
            for first in range(max(0, start - block * steps), steps, at_once):
                step = block * steps + first
                draws = [self._draw(seed, "stream", step, rows[first : first + at_once]) for seed, rows in sampled]
                symbols, labels = (numpy.empty((len(a), len(places), *a.shape[1:]), a.dtype) for a in draws[0])
                for replica, place in enumerate(places):
                    symbols[:, replica], labels[:, replica] = draws[place]
                yield from self._views(step, symbols, labels)

    def _orders(self, seed: int, epoch: int, epochs: int) -> NDArray[numpy.int64]:
        """Order the strings of some epochs, `(epochs, strings)`."""
        if self.shuffle:
            return random_orders(seed, "order", epoch, epochs, len(self.strings))
        return numpy.broadcast_to(numpy.arange(len(self.strings)), (epochs, len(self.strings)))

    def _in_batches(self, orders: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
        """Cut orders `(epochs, strings)` to batches `(epochs * batches, batch)` of strings, the last one filled up."""
        strings = self.strings[orders][:, : len(self) * self.batch_size]
        missing = len(self) * self.batch_size - strings.shape[1]
        filled = numpy.pad(strings, ((0, 0), (0, missing))) if missing else strings
        return filled.reshape(-1, self.batch_size)

    def _draw(
        self, seed: int, purpose: str, step: int, strings: NDArray[numpy.int64]
    ) -> tuple[NDArray[numpy.int32], NDArray[numpy.int32]]:
        """Decode the steps from `step` on, whose strings are `(steps, batch)`."""
        words = random_rows(seed, purpose, step, len(strings), self.sequence_size * self.batch_size)
        same = len(self) == 1 and not self.shuffle
        return self._decoder.decode(words, strings[:1] if same else strings)

    def _views(self, step: int, symbols: NDArray[numpy.int32], labels: NDArray[numpy.int32]) -> Iterator[Batch]:
        """Give the batches in arrays `(steps, ..., time, batch)`, without what fills up the last one of an epoch."""
        last = len(self.strings) - (len(self) - 1) * self.batch_size
        ids = torch.from_numpy(symbols).transpose(-1, -2).unbind(0)
        for place, batch in enumerate(zip(ids, torch.from_numpy(labels).unbind(0)), start=step):
            input_ids, gold = batch
            if last < self.batch_size and place % len(self) == len(self) - 1:
                input_ids, gold = input_ids[..., :last, :], gold[..., :last]
            yield {"input_ids": input_ids, "labels": gold}
