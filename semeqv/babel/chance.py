"""What decides where the grammar leaves a choice."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Protocol

from semeqv.lazy import numpy

AT_ONCE = 256  # random numbers


class Distribution:
    """Alternatives, numbered from 0, with their probabilities.

    Args:
        probabilities: What they sum up to counts as 1.

    Attributes:
        probabilities: The same.
        bounds: Their partial sums.
    """

    def __init__(self, probabilities: Iterable[float]):
        self.probabilities = tuple(float(probability) for probability in probabilities)
        self.bounds = tuple(accumulate(self.probabilities))


def odds(probability: float) -> Distribution:
    """No, or with some probability yes."""
    return Distribution((1 - probability, probability))


def equal(count: int) -> Distribution:
    """So many alternatives of the same probability."""
    return Distribution((1 / count,) * count)


class Chooser(Protocol):
    """What decides."""

    def choose(self, among: Distribution) -> int:
        """Choose one of some alternatives."""


class Dice:
    """Decides by chance."""

    def __init__(self, generator: numpy.random.Generator):
        self._generator = generator
        self._numbers: list[float] = []

    def choose(self, among: Distribution) -> int:
        """Choose one of some alternatives."""
        if not self._numbers:
            self._numbers = self._generator.random(AT_ONCE).tolist()
        bounds = among.bounds
        return bisect_right(bounds, self._numbers.pop() * bounds[-1], 0, len(bounds) - 1)
