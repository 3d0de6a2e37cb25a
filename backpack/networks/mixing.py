"""The weighted sum of senses, without the tensor of the senses at all positions.

    o_i = sum over j <= i and senses l of alpha^l_ij C(x_j)_l

As it is written (`plain_sum` of `modelling.py`), it needs `(batch, senses, time, d)` values and
`(batch, senses, time, time)` weights, and keeps both for the backward pass. Here senses are given once for every
different token. A few rows of the batch at a time, they are gathered to a matrix of `(time * senses, d)`, and blocks of
positions i are multiplied with its first rows, those with j <= i: the sums over positions and over senses are one
product of matrices. Weights are computed again in the backward pass (as in Dao et al., 2022, arXiv 2205.14135).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

GATHERED = {"cpu": 2**21, "cuda": 2**27}  # values of senses at a time: on a CPU few enough to stay in its cache
BLOCK = {"cpu": 64, "cuda": 256}  # positions at a time


def sense_weights(query: Tensor, key: Tensor, seen: Tensor | None) -> Tensor:
    """Compute the weights alpha of all senses of all earlier positions (arXiv 2305.16765, equation 5).

    Args:
        query: `(batch, senses, queries, width)`, scaled; of the last positions.
        key: `(batch, senses, time, width)`.
        seen: `(batch, time)`, false where there is padding; nothing is padding if None.

    Returns:
        `(batch, senses, queries, time)`, rows that add up to 1. A position sees itself, also where it is padding.
    """
    queries, time = query.shape[-2], key.shape[-2]
    now = torch.arange(time - queries, time, device=key.device)[:, None]
    then = torch.arange(time, device=key.device)
    allowed = then <= now
    if seen is not None:
        allowed = (allowed & seen[:, None, :] | (then == now))[:, None]
    scores = (query @ key.transpose(-1, -2)).masked_fill(~allowed, -torch.inf)
    return scores.softmax(-1)


def weighted_sum(weights: Tensor, senses: Tensor, places: Tensor) -> Tensor:
    """Compute the sum of senses with given weights, for few queries: weights are added up by token first.

    Args:
        weights: `(batch, senses, queries, time)`.
        senses: `(tokens, senses, d)`, of each different token.
        places: `(batch, time)`, which of the tokens stands where.

    Returns:
        `(batch, queries, d)`.
    """
    rows, k, queries, time = weights.shape
    by_token = weights.new_zeros(rows, queries, len(senses), k)
    index = places[:, None, :, None].expand(rows, queries, time, k)
    by_token.scatter_add_(2, index, weights.permute(0, 2, 3, 1))
    return by_token.flatten(2) @ senses.flatten(0, 1).to(weights.dtype)


class Mixing(torch.autograd.Function):
    """`plain_sum(sense_weights(query, key, seen), senses[places])` of whole sequences, and its gradients."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, senses: Tensor, positions: tuple[Tensor, Tensor | None]
    ) -> Tensor:
        """Compute the sum.

        Args:
            ctx: Keeps the inputs.
            query: `(batch, senses, time, width)`, scaled.
            key: `(batch, senses, time, width)`.
            senses: `(tokens, senses, d)`, all of one type with queries and keys.
            positions: Which of the tokens stands where, `(batch, time)`, and where there is none but padding: false in
                `(batch, time)`, or None.

        Returns:
            `(batch, time, d)`.
        """
        places, seen = positions
        ctx.save_for_backward(query, key, senses, places, seen)
        mixed = senses.new_empty(*places.shape, senses.shape[-1])
        with torch.autocast(query.device.type, enabled=False):
            for rows, values in gathered(senses, places):
                for start, end in blocks(places):
                    weights = block_weights(query[rows], key[rows], seen if seen is None else seen[rows], start, end)
                    mixed[rows, start:end] = by_position(weights) @ values[:, : weights.shape[-1] * weights.shape[1]]
        return mixed

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Compute the gradients of queries, keys and senses."""
        query, key, senses, places, seen = ctx.saved_tensors
        k, d = senses.shape[1:]
        to_query, to_key = torch.empty_like(query), torch.zeros_like(key)
        to_senses = torch.zeros(len(senses), k * d, device=senses.device)
        slope = slope.to(senses.dtype)
        with torch.autocast(query.device.type, enabled=False):
            for rows, values in gathered(senses, places):
                to_values = torch.zeros_like(values)
                few = seen if seen is None else seen[rows]
                for start, end in blocks(places):
                    weights = block_weights(query[rows], key[rows], few, start, end)  # (rows, k, block, end)
                    above, flat = slope[rows, start:end], by_position(weights)
                    to_values[:, : end * k].baddbmm_(flat.transpose(1, 2), above)
                    to_weights = (above @ values[:, : end * k].transpose(1, 2)).view(*above.shape[:2], end, k)
                    to_scores = torch._softmax_backward_data(
                        to_weights.permute(0, 3, 1, 2).contiguous(), weights, -1, weights.dtype
                    )
                    to_query[rows, :, start:end] = to_scores @ key[rows, :, :end]
                    to_key[rows, :, :end] += to_scores.transpose(-1, -2) @ query[rows, :, start:end]
                to_senses.index_add_(0, places[rows].flatten(), to_values.view(-1, k * d).float())
        return to_query, to_key, to_senses.view(-1, k, d).to(senses.dtype), None


def gathered(senses: Tensor, places: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield the senses at all positions, `(rows, time * senses, d)`, for some rows of the batch at a time."""
    (batch, time), values = places.shape, senses[0].numel()
    several = max(1, GATHERED.get(senses.device.type, 2**24) // (time * values))
    for first in range(0, batch, several):
        rows = slice(first, min(first + several, batch))
        yield rows, senses[places[rows]].flatten(1, 2)


def blocks(places: Tensor) -> Iterator[tuple[int, int]]:
    """Yield where blocks of positions start and end."""
    time, block = places.shape[1], BLOCK.get(places.device.type, 128)
    for start in range(0, time, block):
        yield start, min(start + block, time)


def block_weights(query: Tensor, key: Tensor, seen: Tensor | None, start: int, end: int) -> Tensor:
    """Compute the weights of the positions from `start` to `end`, `(rows, senses, end - start, end)`."""
    scores = query[:, :, start:end] @ key[:, :, :end].transpose(-1, -2)
    if seen is not None:
        itself = torch.arange(start, end, device=key.device)[:, None] == torch.arange(end, device=key.device)
        scores.masked_fill_(~(seen[:, None, None, :end] | itself), -torch.inf)
    later = torch.ones(end - start, end - start, dtype=torch.bool, device=key.device).triu_(1)
    scores[..., start:].masked_fill_(later, -torch.inf)
    return scores.softmax(-1)


def by_position(weights: Tensor) -> Tensor:
    """Reshape `(rows, senses, block, time)` to `(rows, block, time * senses)`, as the gathered senses lie."""
    return weights.permute(0, 2, 3, 1).flatten(2)
