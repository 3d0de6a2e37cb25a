"""Rank correlation of cosines with ratings."""

from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[numpy.float64]


def cosines(first: Tensor, second: Tensor, senses: bool) -> dict[str, Floats]:
    """How alike the words of pairs are.

    Args:
        first: `(pairs, senses, d)`.
        second: `(pairs, senses, d)`.
        senses: Whether these are senses; else there is one vector, the embedding.

    Returns:
        `(pairs,)` for each sense index by its number, and for the least (`min`) and the largest (`max`) of all; or for
        `embedding`.
    """
    found = torch.cosine_similarity(first.double(), second.double(), dim=-1).numpy()
    if not senses:
        return {"embedding": found[:, 0]}
    return {str(index): found[:, index] for index in range(found.shape[1])} | {"min": found.min(1), "max": found.max(1)}


def spearman(
    values: Floats, scores: Floats, replicates: int, generator: numpy.random.Generator
) -> tuple[float, float, float]:
    """Spearman's rank correlation, by scipy, and its 95% interval by a bootstrap of the pairs.

    Args:
        values: `(pairs,)`.
        scores: `(pairs,)`.
        replicates: Samples of the bootstrap.
        generator: Draws them.

    Returns:
        The correlation and the ends of the interval; NaN where one side does not vary.
    """
    from scipy.stats import rankdata, spearmanr

    if len(set(values.tolist())) < 2 or len(set(scores.tolist())) < 2:
        return numpy.nan, numpy.nan, numpy.nan
    drawn = generator.integers(len(values), size=(replicates, len(values)))
    ranks: list[Any] = [rankdata(each[drawn], axis=1) for each in (values, scores)]
    ranks = [each - each.mean(1, keepdims=True) for each in ranks]
    lengths = [numpy.sqrt((each**2).sum(1)) for each in ranks]
    with numpy.errstate(invalid="ignore"):
        samples = (ranks[0] * ranks[1]).sum(1) / (lengths[0] * lengths[1])
    low, high = numpy.nanquantile(samples, [0.025, 0.975])
    return float(spearmanr(values, scores).statistic), float(low), float(high)
