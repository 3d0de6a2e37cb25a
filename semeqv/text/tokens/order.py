"""Orders that can be looked up at any place, without being written down."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from semeqv.lazy import NDArray, numpy

ROUNDS = 6
SPAN = 2**14
PERIOD = 100_000  # about so many positions after which languages alternate in the same way again
MULTIPLIER = 0x9E3779B97F4A7C15


def mixed(numbers: NDArray[numpy.uint64]) -> NDArray[numpy.uint64]:
    """Scatter 64-bit numbers (the finaliser of SplitMix64; Steele et al., 2014)."""
    numbers = (numbers ^ (numbers >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> numpy.uint64(31))


def looked_up(places: NDArray[numpy.int64], size: int, *keys: int) -> NDArray[numpy.int64]:
    """What `permuted` finds, for places that lie together: it is worked out for many places at a time, and kept."""
    spans, within = numpy.divmod(places, SPAN)
    found = numpy.empty_like(places)
    for span in set(spans.tolist()):
        here = spans == span
        found[here] = permuted_span(span, size, *keys)[within[here]]
    return found


@functools.lru_cache(maxsize=32)
def permuted_span(span: int, size: int, *keys: int) -> NDArray[numpy.int64]:
    """Where a permutation puts the places from `span * SPAN` on."""
    return permuted(numpy.arange(span * SPAN, min((span + 1) * SPAN, size)), size, *keys)


def permuted(places: NDArray[numpy.int64], size: int, *keys: int) -> NDArray[numpy.int64]:
    """Where a random permutation of 0 to size - 1 puts some places, in time and memory of those places alone.

    A Feistel network over the next power of four, walked until it falls below size (Black & Rogaway, 2002).

    Args:
        places: `(n,)`, from 0 to below size.
        size: How many there are.
        *keys: What chooses the permutation: seed, language, epoch.

    Returns:
        `(n,)`.
    """
    half = max((max(size - 1, 1).bit_length() + 1) // 2, 1)
    mask, shift = numpy.uint64((1 << half) - 1), numpy.uint64(half)
    with numpy.errstate(over="ignore"):
        seed = numpy.zeros(1, numpy.uint64)
        for each in keys:
            seed = mixed(seed * numpy.uint64(MULTIPLIER) + numpy.uint64(each & 0xFFFFFFFFFFFFFFFF) + numpy.uint64(1))
        rounds = [mixed(seed + numpy.uint64(i) * numpy.uint64(MULTIPLIER)) for i in range(ROUNDS)]
        found = places.astype(numpy.uint64)
        todo = numpy.arange(len(found))
        while len(todo):
            left, right = found[todo] >> shift, found[todo] & mask
            for key in rounds:
                left, right = right, left ^ (mixed(right * numpy.uint64(MULTIPLIER) + key) & mask)
            found[todo] = (left << shift) | right
            todo = todo[found[todo] >= size]
    return found.astype(numpy.int64)


class Alternation:
    """Which of several parts each position takes from, evenly interleaved at stated weights.

    Args:
        weights: One for each part; they are rounded to 1 / `PERIOD` of their sum, and none to nothing.
    """

    def __init__(self, weights: Sequence[float]):
        exact = numpy.asarray(weights, dtype=numpy.float64) / sum(weights) * PERIOD
        counts = numpy.maximum(numpy.rint(exact), 1).astype(numpy.int64)
        self.period = int(counts.sum())
        parts = numpy.repeat(numpy.arange(len(counts)), counts)
        ordinals = numpy.concatenate([numpy.arange(count) for count in counts])
        order = numpy.lexsort((parts, (ordinals + 0.5) / counts[parts]))
        self.counts, self.part, self.ordinal = counts, parts[order], ordinals[order]

    def __call__(self, positions: NDArray[numpy.int64]) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        """The part of each position, and how many positions before it take from the same part, both `(n,)`."""
        period, place = numpy.divmod(positions, self.period)
        part = self.part[place]
        return part, period * self.counts[part] + self.ordinal[place]
