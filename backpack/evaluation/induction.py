"""Finding translations, or other related words, by the nearest vectors."""

import math
from collections.abc import Iterable, Sequence

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

AT_ONCE = 512  # sources


def gold_of(pairs: Iterable[tuple[str, str]]) -> tuple[list[str], list[str], list[list[int]]]:
    """Sort the pairs of a dictionary.

    Args:
        pairs: A word and one of the words that are right for it.

    Returns:
        The different first words, the different second words, and for each first word the places of those that are
        right.
    """
    sources, targets = dict[str, list[int]](), dict[str, int]()
    for one, other in pairs:
        sources.setdefault(one, []).append(targets.setdefault(other, len(targets)))
    return list(sources), list(targets), list(sources.values())


def ranks(sources: Tensor, targets: Tensor, gold: Sequence[Sequence[int]]) -> NDArray[numpy.int64]:
    """The place of the nearest right word among all, by the cosine; summed over vectors where a word has several.

    Args:
        sources: `(sources, vectors, d)`.
        targets: `(targets, vectors, d)`.
        gold: The right targets of each source, one at least.

    Returns:
        `(sources,)`, from 1. A wrong word that is as near as the nearest right one stands before it, so that vectors
        that are all alike find nothing.
    """
    left, right = (torch.nn.functional.normalize(each.float(), dim=-1).flatten(1) for each in (sources, targets))
    found = []
    for start in range(0, len(left), AT_ONCE):
        near = left[start : start + AT_ONCE] @ right.T
        correct = torch.zeros_like(near, dtype=torch.bool)
        for row, places in enumerate(gold[start : start + AT_ONCE]):
            correct[row, list(places)] = True
        best = near.masked_fill(~correct, -torch.inf).amax(1, keepdim=True)
        found.append(1 + ((near >= best - 1e-6) & ~correct).sum(1))
    return torch.cat(found).numpy()


def chance(gold: Sequence[Sequence[int]], targets: int, k: int) -> float:
    """The precision at k of targets drawn at random, without replacement.

    Args:
        gold: The right targets of each source.
        targets: How many targets there are.
        k: The size of the list.

    Returns:
        The probability that a right one is drawn, on average over sources.
    """
    k = min(k, targets)
    missed = [math.comb(targets - len(each), k) / math.comb(targets, k) for each in map(set, gold)]
    return 1 - math.fsum(missed) / len(missed)
