"""Whether a sense index means the same in two languages: cosines of translations, and permutations of them."""

from dataclasses import dataclass

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Alikeness:
    """How alike the senses of translations are.

    Args:
        same: The mean cosine of equal indices of a word and its translation.
        other: That of different indices.
        strangers: That of equal indices of words that do not translate each other.
        by_index: `(senses,)`: `same`, index by index.
        p_index: The probability of `same` or more when the indices of every translation are dealt out anew.
        p_partner: The probability of `same` or more when the translations are.
    """

    same: float
    other: float
    strangers: float
    by_index: NDArray[numpy.float64]
    p_index: float
    p_partner: float


def alikeness(left: Tensor, right: Tensor, permutations: int, generator: numpy.random.Generator) -> Alikeness:
    """Compare the senses of words with those of their translations.

    Args:
        left: `(pairs, senses, d)`, two pairs and two senses at least.
        right: `(pairs, senses, d)`, of the translations.
        permutations: How often to deal anew; 1 / (permutations + 1) is the least p.
        generator: Deals.

    Returns:
        The cosines and the p of both tests, of one side.
    """
    left, right = (torch.nn.functional.normalize(each.double(), dim=-1) for each in (left, right))
    cosines = (left @ right.transpose(1, 2)).numpy()  # (pairs, senses, senses)
    pairs, senses, _ = cosines.shape
    by_index = cosines.diagonal(axis1=1, axis2=2).mean(0)
    same = float(by_index.mean())
    between = (left.flatten(1) @ right.flatten(1).T / senses).numpy()  # (pairs, pairs): mean of equal indices
    row, columns = numpy.arange(pairs), numpy.arange(senses)
    beyond = numpy.zeros(2)
    for _ in range(permutations):
        dealt = generator.random((pairs, senses)).argsort(1)
        beyond[0] += cosines[row[:, None], columns, dealt].mean() >= same - 1e-12
        beyond[1] += between[row, generator.permutation(pairs)].mean() >= same - 1e-12
    other = (cosines.sum() - same * pairs * senses) / (pairs * senses * (senses - 1))
    strangers = (between.sum() - numpy.trace(between)) / (pairs * (pairs - 1))
    p_index, p_partner = (1 + beyond) / (1 + permutations)
    return Alikeness(same, float(other), float(strangers), by_index, float(p_index), float(p_partner))
