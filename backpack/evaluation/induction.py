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


def places_among(sources: Sequence[str], targets: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[list[int]]:
    """The places of the second words of some pairs among all targets, by source; of those that are there.

    Args:
        sources: Different first words.
        targets: Different second words.
        pairs: Words.

    Returns:
        Places among the targets, for each source.
    """
    place, found = {word: at for at, word in enumerate(targets)}, dict[str, list[int]]()
    for one, other in pairs:
        if other in place:
            found.setdefault(one, []).append(place[other])
    return [found.get(source, []) for source in sources]


def ranks(
    sources: Tensor, targets: Tensor, gold: Sequence[Sequence[int]], excluded: Sequence[Sequence[int]]
) -> NDArray[numpy.int64]:
    """The place of the nearest right word among all, by the cosine; summed over vectors where a word has several.

    Args:
        sources: `(sources, vectors, d)`.
        targets: `(targets, vectors, d)`.
        gold: The right targets of each source, one at least.
        excluded: Other targets that are no candidates for each source.

    Returns:
        `(sources,)`, from 1. A wrong word that is as near as the nearest right one stands before it, so that vectors
        that are all alike find nothing.
    """
    left, right = (torch.nn.functional.normalize(each.float(), dim=-1).flatten(1) for each in (sources, targets))
    found = []
    for start in range(0, len(left), AT_ONCE):
        near = left[start : start + AT_ONCE] @ right.T
        correct, out = (marked(near, each[start : start + AT_ONCE]) for each in (gold, excluded))
        best = near.masked_fill(~correct, -torch.inf).amax(1, keepdim=True)
        found.append(1 + ((near >= best - 1e-6) & ~correct & ~out).sum(1))
    return torch.cat(found).numpy()


def marked(near: Tensor, places: Sequence[Sequence[int]]) -> Tensor:
    """Where some targets of each source are: true at their places, of the shape of `near`, `(sources, targets)`."""
    found = torch.zeros_like(near, dtype=torch.bool)
    for row, each in enumerate(places):
        found[row, list(each)] = True
    return found


def chance(gold: Sequence[Sequence[int]], excluded: Sequence[Sequence[int]], targets: int, k: int) -> float:
    """The precision at k of candidates drawn at random, without replacement.

    Args:
        gold: The right targets of each source.
        excluded: Other targets that are no candidates for each source.
        targets: How many targets there are.
        k: The size of the list.

    Returns:
        The probability that a right one is drawn, on average over sources.
    """
    missed = []
    for right, out in zip(map(set, gold), map(set, excluded)):
        left = targets - len(out)
        drawn = min(k, left)
        missed.append(math.comb(left - len(right), drawn) / math.comb(left, drawn))
    return 1 - math.fsum(missed) / len(missed)
