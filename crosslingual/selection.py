"""The k-th greatest magnitude of numbers that do not fit into memory, exactly.

The bits of a magnitude in fp32, read as an integer, have the order of the magnitudes. The numbers are counted by the
upper half of these bits, and then, those that share the upper half of the wanted one, by the lower half: two readings,
and two tables of 65,536 counts, whatever the size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crosslingual.expressions import Expression
from crosslingual.safetensors_reader import chunks
from semeqv.lazy import numpy

HALF = 16  # bits


def greatest(expression: Expression, sizes: Mapping[str, int], density: float) -> float:
    """Find the least magnitude among the greatest of some tensors.

    Args:
        expression: Has the numbers; tensors that it does not cover count as zeros.
        sizes: Names of the tensors, and the numbers of each.
        density: The share of all numbers that is kept, above 0 and at most 1.

    Returns:
        The magnitude of the k-th greatest number, where k is that share of all, rounded down; numbers as great as
        that are all kept. 0 when everything is, or more than is not zero.
    """
    wanted = kept_count(sizes.values(), density)
    names = [name for name in sizes if expression.covers(name)]
    upper = 0
    for step in range(2):
        counts = numpy.zeros(2**HALF, numpy.int64)
        for name in names:
            for place, count in chunks(sizes[name]):
                bits = expression.chunk(name, place, count).view(numpy.uint32)
                bits &= numpy.uint32(2**31 - 1)  # without the sign
                half = bits >> HALF if step == 0 else bits[bits >> HALF == upper] & numpy.uint32(2**HALF - 1)
                counts += numpy.bincount(half, minlength=2**HALF)
        above = numpy.cumsum(counts[::-1])[::-1]  # numbers of this half or a greater one
        if step == 0 and above[0] < wanted:
            return 0.0
        bound = int(numpy.flatnonzero(above >= wanted)[-1])
        if step == 0:
            wanted -= int(above[bound] - counts[bound])
            upper = bound
    return float(numpy.array([upper << HALF | bound], numpy.uint32).view(numpy.float32)[0])


def kept_count(sizes: Iterable[int], density: float) -> int:
    """Return how many numbers a share of tensors is, at least one; rounded down, as TIES and mergekit do."""
    return max(1, int(density * sum(sizes)))
