"""Bootstrap intervals of what is computed from sums over sentences (Efron & Tibshirani, 1993, percentile method)."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]
AT_ONCE = 2**22  # weights of sentences drawn at a time
SHARE = 0.95


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
