"""Bootstrap intervals of means."""

from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]


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
