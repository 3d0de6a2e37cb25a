"""How often one distance is smaller than another, and how sure one can be of it."""

from __future__ import annotations

from collections.abc import Sequence

from semeqv.lazy import numpy


def probability_closer(near: numpy.ndarray, far: numpy.ndarray, weights: numpy.ndarray | None = None) -> float:
    """The probability that a distance of one group is smaller than one of another, ties counting half.

    It is the area under the ROC curve (AUC) of telling the groups apart by distance, and the Mann-Whitney statistic
    over the number of comparisons.

    Args:
        near: Distances, (n,).
        far: Distances, (n,).
        weights: How much the i-th of each counts, (n,); all alike if left out.

    Returns:
        1 when every `near` is smaller than every `far`, .5 when neither tends to be.
    """
    weights = numpy.ones(len(near)) if weights is None else weights
    _, place = numpy.unique(numpy.concatenate([near, far]), return_inverse=True)
    return _probability(place, weights)


def _probability(place: numpy.ndarray, weights: numpy.ndarray) -> float:
    count = len(weights)
    groups = int(place.max()) + 1
    nears = numpy.bincount(place[:count], weights, groups)
    fars = numpy.bincount(place[count:], weights, groups)
    larger = fars[::-1].cumsum()[::-1] - fars / 2
    return float((nears * larger).sum() / (nears.sum() * fars.sum()))


def interval(
    near: numpy.ndarray,
    far: numpy.ndarray,
    words: Sequence[str],
    replicates: int,
    generator: numpy.random.Generator,
) -> tuple[float, float]:
    """A 95% bootstrap interval (percentile; Efron & Tibshirani, 1993) of `probability_closer`.

    Words are drawn, not pairs: dog-Dog and dog-DOG are no independent evidence.

    Args:
        near: Distances of equivalent pairs, (n,).
        far: Distances of the random pairs that go with them, (n,).
        words: The word of each pair.
        replicates: How many samples to draw.
        generator: What draws.

    Returns:
        The lower and the upper end.
    """
    _, place = numpy.unique(numpy.concatenate([near, far]), return_inverse=True)
    _, word = numpy.unique(numpy.asarray(words), return_inverse=True)
    count = int(word.max()) + 1
    found = []
    for _ in range(replicates):
        drawn = numpy.bincount(generator.integers(count, size=count), minlength=count)
        found.append(_probability(place, drawn[word].astype(float)))
    low, high = numpy.quantile(found, [0.025, 0.975])
    return float(low), float(high)
