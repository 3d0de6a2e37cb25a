"""What a vector or a model is made of: a tree of operations, computed a chunk of a tensor at a time.

Every node computes in fp32, in the order in which the formula was written, one rounding an operation: the same bits as
the formula on whole tensors. A chunk that a node returns belongs to whoever asked for it, and may be overwritten.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from crosslingual.safetensors_reader import CHUNK, Numbers, StoredTensors, chunks
from semeqv.lazy import numpy

STRAIGHT = 1e-6  # the sine of an angle between two tensors below which a line is as good as the arc


class Expression(Protocol):
    """Something that has numbers for tensors, by canonical name."""

    def covers(self, name: str) -> bool:
        """Return whether it has a tensor; one that it does not have is zero."""
        ...

    def chunk(self, name: str, place: int, count: int) -> Numbers:
        """Compute a chunk of a tensor that it has.

        Args:
            name: The tensor.
            place: Which chunk.
            count: The numbers in it.

        Returns:
            fp32, `(count,)`.
        """
        ...


@dataclass(frozen=True)
class Weights:
    """Weights in a folder.

    Args:
        weights: The folder's.
        names: From canonical name to the name under which a tensor is stored.
    """

    weights: StoredTensors
    names: Mapping[str, str]

    def covers(self, name: str) -> bool:
        """Return whether the folder has it."""
        return name in self.names

    def chunk(self, name: str, place: int, count: int) -> Numbers:
        """Read it."""
        return self.weights.read(self.names[name], place * CHUNK, count)


@dataclass(frozen=True)
class Sum:
    """left + right, or left - right.

    Args:
        left: The first.
        right: The second.
        subtract: Whether the second is taken off.
    """

    left: Expression
    right: Expression
    subtract: bool = False

    def covers(self, name: str) -> bool:
        """Return whether either has it."""
        return self.left.covers(name) or self.right.covers(name)

    def chunk(self, name: str, place: int, count: int) -> Numbers:
        """Add, or take off."""
        if not self.right.covers(name):
            return self.left.chunk(name, place, count)
        second = self.right.chunk(name, place, count)
        if not self.left.covers(name):
            return numpy.negative(second, out=second) if self.subtract else second
        first = self.left.chunk(name, place, count)
        return (numpy.subtract if self.subtract else numpy.add)(first, second, out=first)


@dataclass(frozen=True)
class Scaled:
    """Each tensor times a number of its own.

    Args:
        inner: What is scaled.
        factor: The number for a name.
    """

    inner: Expression
    factor: Callable[[str], float]

    def covers(self, name: str) -> bool:
        """Return whether it is there to be scaled."""
        return self.inner.covers(name)

    def chunk(self, name: str, place: int, count: int) -> Numbers:
        """Multiply."""
        numbers = self.inner.chunk(name, place, count)
        return numpy.multiply(numbers, numpy.float32(self.factor(name)), out=numbers)


@dataclass(frozen=True)
class Only:
    """Some of the tensors.

    Args:
        inner: Has them.
        names: Which.
    """

    inner: Expression
    names: frozenset[str]

    def covers(self, name: str) -> bool:
        """Return whether it is one of them."""
        return name in self.names and self.inner.covers(name)

    def chunk(self, name: str, place: int, count: int) -> Numbers:
        """Return it as it was."""
        return self.inner.chunk(name, place, count)


@dataclass(frozen=True)
class TopK:
    """The numbers of a magnitude of at least a threshold; the others are zero.

    Args:
        inner: What is trimmed.
        threshold: The least magnitude kept in a tensor; it is found when it is first asked for.
    """

    inner: Expression
    threshold: Callable[[str], float]

    def covers(self, name: str) -> bool:
        """Return whether it is there to be trimmed."""
        return self.inner.covers(name)

    def chunk(self, name: str, place: int, count: int) -> Numbers:
        """Set small ones to zero."""
        numbers = self.inner.chunk(name, place, count)
        numbers[numpy.abs(numbers) < numpy.float32(self.threshold(name))] = 0
        return numbers


@dataclass(frozen=True)
class Dropped:
    """Numbers set to zero at random, and the others scaled up in turn (DARE).

    What is dropped depends on the seed and on where a number is, not on what was computed before.

    Args:
        inner: What is dropped from.
        rate: The probability that a number is dropped.
        seed: Of the draw.
    """

    inner: Expression
    rate: float
    seed: int

    def covers(self, name: str) -> bool:
        """Return whether it is there to be dropped from."""
        return self.inner.covers(name)

    def chunk(self, name: str, place: int, count: int) -> Numbers:
        """Drop, and scale."""
        numbers = self.inner.chunk(name, place, count)
        numbers *= numpy.float32(1 / (1 - self.rate))
        numbers[dropped(name, place, count, self.rate, self.seed)] = 0
        return numbers


def dropped(name: str, place: int, count: int, rate: float, seed: int) -> Numbers:
    """Draw which numbers of a chunk DARE drops: truth values, `(count,)`."""
    digest = hashlib.sha256(f"{seed} {place} {name}".encode()).digest()
    generator = numpy.random.Generator(numpy.random.Philox(key=int.from_bytes(digest[:16], "little")))
    return generator.random(count, dtype=numpy.float32) < numpy.float32(rate)  # type: ignore[return-value]


@dataclass(frozen=True)
class SignElection:
    """The mean, number by number, of the vectors that have the sign of the sum of all (TIES).

    Args:
        inner: The vectors, trimmed.
    """

    inner: Sequence[Expression]

    def covers(self, name: str) -> bool:
        """Return whether one has it."""
        return any(inner.covers(name) for inner in self.inner)

    def chunk(self, name: str, place: int, count: int) -> Numbers:
        """Elect signs, and average. Numbers that cancel each other have no sign, and give zero."""
        vectors = [inner.chunk(name, place, count) for inner in self.inner if inner.covers(name)]
        total = vectors[0].copy()
        for vector in vectors[1:]:
            total += vector
        sign, total[:] = numpy.sign(total), 0
        agreeing = numpy.zeros(count, numpy.float32)
        for vector in vectors:
            agrees = numpy.multiply(vector, sign) > 0
            vector[~agrees] = 0
            total += vector
            agreeing += agrees
        return numpy.divide(total, numpy.maximum(agreeing, 1), out=total)


@dataclass(frozen=True)
class Slerp:
    """The way from one to another along an arc, tensor by tensor (SLERP; Shoemake, 1985).

    Args:
        first: Where it starts.
        second: Where it ends.
        share: How far to go: 0 is the first, 1 the second.
        sizes: Numbers of each tensor.
        parts: The factors of both by name, kept once found.
    """

    first: Expression
    second: Expression
    share: float
    sizes: Mapping[str, int]
    parts: dict[str, tuple[float, float]] = field(default_factory=dict)

    def covers(self, name: str) -> bool:
        """Return whether both have it."""
        return self.first.covers(name) and self.second.covers(name)

    def chunk(self, name: str, place: int, count: int) -> Numbers:
        """Add the two, each times its factor."""
        if name not in self.parts:
            self.parts[name] = self.factors(name)
        one, other = self.parts[name]
        first, second = self.first.chunk(name, place, count), self.second.chunk(name, place, count)
        first *= numpy.float32(one)
        second *= numpy.float32(other)
        return numpy.add(first, second, out=first)

    def factors(self, name: str) -> tuple[float, float]:
        """Compute the factors of both in a tensor, by sums in fp64: on the arc, or on the line if there is none."""
        products = numpy.zeros(3)
        for place, count in chunks(self.sizes[name]):
            one, other = (each.chunk(name, place, count).astype(float) for each in (self.first, self.second))
            products += numpy.dot(one, other), numpy.dot(one, one), numpy.dot(other, other)
        norm = math.sqrt(products[1] * products[2])
        sine = math.sin(angle := math.acos(max(-1.0, min(1.0, products[0] / norm)))) if norm else 0.0
        if sine < STRAIGHT:
            return 1 - self.share, self.share
        return math.sin((1 - self.share) * angle) / sine, math.sin(self.share * angle) / sine
