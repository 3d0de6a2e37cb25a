"""The nearest rows of a matrix, in bounded memory."""

import torch
from torch import Tensor
from tqdm import tqdm

from ofa.vectors.word_vectors import Floats

CELLS = 2**23  # similarities at once
SPARE = 8  # candidates beyond k, among which ties are broken


def nearest(queries: Floats, candidates: Floats, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest candidates of each query by dot product; of those that are equally near, the first.

    Args:
        queries: `(queries, width)`.
        candidates: `(candidates, width)`.
        k: How many, at most all.

    Returns:
        Similarities, falling, and rows of the candidates, `(queries, k)` each.
    """
    k = min(k, len(candidates))
    wide, right = min(k + SPARE, len(candidates)), torch.from_numpy(candidates).T
    values = torch.empty(len(queries), k)
    places = torch.empty(len(queries), k, dtype=torch.int64)
    few = max(CELLS // max(len(candidates), 1), 1)
    for start in tqdm(range(0, len(queries), few), desc="nearest", unit="chunk", leave=False, disable=None):
        some = slice(start, start + few)
        similar = torch.from_numpy(queries[some]) @ right
        values[some], places[some] = ranked(similar, k, wide)
    return values, places


def ranked(similar: Tensor, k: int, wide: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row, the first of equal ones first."""
    top, at = similar.topk(wide, dim=1)
    at, order = at.sort(dim=1)  # by row of the candidates, then, stably, by similarity
    top, order = top.gather(1, order).sort(dim=1, descending=True, stable=True)
    at = at.gather(1, order)
    if wide < similar.shape[1]:
        tied = (top[:, -1] == top[:, k - 1]).nonzero().flatten()  # equal ones may have been left out
        if len(tied):
            every, order = similar[tied].sort(dim=1, descending=True, stable=True)
            top[tied, :k], at[tied, :k] = every[:, :k], order[:, :k]
    return top[:, :k], at[:, :k]


def softmax_weights(similarities: Tensor, temperature: float) -> Floats:
    """Weights of neighbours, `softmax(similarity / temperature)`, `(queries, k)`."""
    found: Floats = (similarities / temperature).softmax(1).numpy()
    return found
