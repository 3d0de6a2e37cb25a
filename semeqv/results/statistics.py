"""Intervals: of means over runs by Student's t, of scores over sentences by the bootstrap."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, Protocol, runtime_checkable

from semeqv.lazy import Floats, NDArray, numpy, scipy


@functools.cache
def t95(degrees: int) -> float:
    """Return the two-sided 95% point of Student's t.

    Args:
        degrees: Degrees of freedom, at least one.

    Returns:
        The value that the size of t exceeds with probability 5%: 12.7 for one degree, towards 1.96 for many.
    """
    return float(scipy.stats.t.ppf(0.975, degrees))


def mean_and_half(values: Sequence[float]) -> tuple[float, float]:
    """The mean of some values, one at least, and half the width of its 95% interval; NaN where there is one value."""
    if len(values) < 2:
        return fmean(values), math.nan
    return fmean(values), t95(len(values) - 1) * stdev(values) / math.sqrt(len(values))


def resampled(values: NDArray[Any], replicates: int, generator: numpy.random.Generator) -> Floats:
    """Means of samples drawn from values with replacement (Efron & Tibshirani, 1993), each as large as the values.

    Where few values are distinct, how often each is drawn is drawn at once.

    Args:
        values: `(n,)`.
        replicates: How many samples.
        generator: What draws.

    Returns:
        `(replicates,)`.
    """
    values = numpy.asarray(values, numpy.float64)
    distinct, counts = numpy.unique(values, return_counts=True)
    if len(distinct) <= 64:
        drawn: Floats = generator.multinomial(len(values), counts / len(values), replicates) @ distinct / len(values)
        return drawn
    return numpy.array([generator.choice(values, len(values)).mean() for _ in range(replicates)])


def interval(groups: Sequence[NDArray[Any]], replicates: int, generator: numpy.random.Generator) -> tuple[float, float]:
    """A 95% percentile interval of the mean of the means of some groups, each resampled by itself.

    Args:
        groups: One or more arrays, `(n,)` each.
        replicates: How many samples.
        generator: What draws.

    Returns:
        The lower and the upper end.
    """
    means = numpy.mean([resampled(group, replicates, generator) for group in groups], axis=0)
    low, high = numpy.quantile(means, [0.025, 0.975])
    return float(low), float(high)


AT_ONCE = 2**22  # weights of sentences drawn at a time
SHARE = 0.95


@runtime_checkable
class Tallied(Protocol):
    """A scorer whose scores follow from sums over sentences, so that samples of sentences can be scored, too.

    What measures one model at many points, such as `cli crosslingual sweep`, asks no more of a task than this, and the
    `take` of a `Scorer`: any data set whose `scorer()` has both methods can be measured there.
    """

    def tally(self) -> NDArray[Any]:
        """What is counted in each sentence of the pass, `(sentences, ...)`."""

    def measures(self, sums: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        """From sums of tallies, `(replicates, ...)`, to scores, each `(replicates,)`; the first is the main one."""


def intervals(
    counts: NDArray[Any],
    scores: Callable[[Floats], Mapping[str, Floats]],
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """The 95% intervals of scores; sentences are drawn, with all their words.

    Args:
        counts: What is counted in each sentence, `(sentences, ...)`.
        scores: From sums of counts, `(replicates, ...)`, to scores, each `(replicates,)`.
        replicates: How many samples to draw.
        seed: What decides the samples; the same one gives the same intervals.

    Returns:
        The lower and the upper end of each score.
    """
    size = len(counts)
    flat = counts.reshape(size, -1).astype(numpy.float64)
    generator = numpy.random.default_rng(seed)
    sums, step = [], max(AT_ONCE // size, 1)
    for start in range(0, replicates, step):
        rows = min(step, replicates - start)
        drawn = generator.integers(size, size=(rows, size)) + numpy.arange(rows)[:, None] * size
        weights = numpy.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
        sums.append(weights @ flat)
    found = scores(numpy.concatenate(sums).reshape(replicates, *counts.shape[1:]))
    ends = [(1 - SHARE) / 2, (1 + SHARE) / 2]
    return {name: tuple(numpy.quantile(values, ends).tolist()) for name, values in found.items()}


def scored(
    counts: NDArray[Any],
    scores: Callable[[Floats], Mapping[str, Floats]],
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, float]:
    """Scores with their intervals.

    Args:
        counts: What is counted in each sentence, `(sentences, ...)`.
        scores: As of `intervals`.
        replicates: How many samples to draw; 0 for no intervals.
        seed: What decides the samples.

    Returns:
        `NAME` of each score, and in `NAME_low` and `NAME_high` its 95% interval.
    """
    found = {name: float(value[0]) for name, value in scores(counts.sum(0, dtype=numpy.float64)[None]).items()}
    if replicates:
        for name, ends in intervals(counts, scores, replicates, seed).items():
            found |= dict(zip((f"{name}_low", f"{name}_high"), ends))
    return found


def compared(
    counts: NDArray[Any],
    others: NDArray[Any],
    scores: Callable[[Floats], Mapping[str, Floats]],
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, float]:
    """The scores of a model, and what they gain over those of another one on the same sentences: a paired bootstrap.

    Both models are scored on each sample of sentences, so that what makes a sentence hard for both cancels out.

    Args:
        counts: What is counted in each sentence, `(sentences, ...)`.
        others: The same for the other model.
        scores: As of `intervals`, and so are the others.
        replicates: How many samples to draw; 0 for no intervals.
        seed: What decides the samples.

    Returns:
        `NAME` and `NAME_gain` of each score, and in `NAME_low`, `NAME_high`, `NAME_gain_low` and `NAME_gain_high` the
        95% intervals.
    """

    def both(sums: Floats) -> dict[str, Floats]:
        ours, theirs = scores(sums[:, 0]), scores(sums[:, 1])
        return dict(ours) | {f"{name}_gain": ours[name] - theirs[name] for name in ours}

    pairs = numpy.stack([counts, others], axis=1)  # (sentences, 2, ...)
    return scored(pairs, both, replicates, seed)
