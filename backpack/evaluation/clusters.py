"""Whether vectors fall into two heaps that are the two senses of a word."""

from typing import Any

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]
Integers = NDArray[numpy.int64]
STARTS, ROUNDS = 8, 50


def two_means(points: NDArray[Any], generator: numpy.random.Generator) -> Integers:
    """Part points into two clusters by k-means (Lloyd, 1982), the best of several starts at two of the points.

    Args:
        points: `(points, width)`, two at least.
        generator: Chooses the starts.

    Returns:
        `(points,)`: 0 or 1; all 0 where all points are the same.
    """
    points = numpy.asarray(points, numpy.float64)
    points = points - points.mean(0)
    squares, best, least = (points**2).sum(1), numpy.zeros(len(points), numpy.int64), numpy.inf
    for _ in range(STARTS):
        centres = points[generator.choice(len(points), 2, replace=False)]
        for _ in range(ROUNDS):
            distances = squares[:, None] - 2 * points @ centres.T + (centres**2).sum(1)
            found = distances.argmin(1)
            if found.min() == found.max():
                break
            moved = numpy.stack([points[found == cluster].mean(0) for cluster in (0, 1)])
            if numpy.array_equal(moved, centres):
                break
            centres = moved
        cost = float(distances.min(1).sum())
        if cost < least and found.min() < found.max():
            best, least = found, cost
    return best


def v_measure(truth: Integers, clusters: Integers) -> float:
    """The harmonic mean of homogeneity and completeness (Rosenberg & Hirschberg, 2007).

    Args:
        truth: `(points,)`, the classes.
        clusters: `(points,)`.

    Returns:
        From 0 to 1. One class is homogeneous and one cluster complete, as there.
    """
    counts = numpy.zeros((int(truth.max()) + 1, int(clusters.max()) + 1))
    numpy.add.at(counts, (truth, clusters), 1)
    of_truth, of_clusters, joint = entropy(counts.sum(1)), entropy(counts.sum(0)), entropy(counts.ravel())
    shared = of_truth + of_clusters - joint
    homogeneity = shared / of_truth if of_truth else 1.0
    completeness = shared / of_clusters if of_clusters else 1.0
    total = homogeneity + completeness
    return float(max(2 * homogeneity * completeness / total, 0.0)) if total > 0 else 0.0


def entropy(counts: Floats) -> float:
    """The entropy in nats of the distribution that counts are in proportion to."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * numpy.log(shares)).sum())


def against_chance(
    truth: Integers, clusters: Integers, shuffles: int, generator: numpy.random.Generator
) -> tuple[float, float]:
    """The V-measure of clusters, and what it is on average when the classes are dealt out anew.

    Args:
        truth: `(points,)`, the classes.
        clusters: `(points,)`.
        shuffles: How often to deal.
        generator: Deals.

    Returns:
        V, and that of chance: `(V - chance) / (1 - chance)` is V corrected for chance, 0 for clusters that know nothing
        (as in Vinh, Epps & Bailey, 2010).
    """
    dealt = [v_measure(generator.permutation(truth), clusters) for _ in range(shuffles)]
    return v_measure(truth, clusters), float(numpy.mean(dealt))
