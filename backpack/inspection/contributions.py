"""What senses add to predictions, and which senses are near each other.

A sense adds to the logits of the next token alpha * E C(x)_l, and alpha is never negative: the tokens for which E
C(x)_l is largest are those that a sense favours, and those for which it is least the ones that it disfavours
(Hewitt et al., 2023, arXiv 2305.16765).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semeqv.lazy import functional, no_grad, torch
from semeqv.runs.progress import Progress

LOGITS = 2**25  # numbers computed at once


@dataclass(frozen=True)
class Extremes:
    """The tokens that senses favour and disfavour, `(words, senses, top)` each.

    Args:
        top: Tokens of the largest logits, the largest first.
        top_logits: What the senses add to them, at a weight of 1.
        bottom: Tokens of the least logits, the least first.
        bottom_logits: What the senses add to them.
    """

    top: torch.Tensor
    top_logits: torch.Tensor
    bottom: torch.Tensor
    bottom_logits: torch.Tensor


@dataclass(frozen=True)
class NearestSenses:
    """The nearest senses of other words, `(words, senses, count)` each.

    Args:
        words: Which words.
        senses: Which of their senses.
        cosines: Their cosines.
    """

    words: torch.Tensor
    senses: torch.Tensor
    cosines: torch.Tensor


@no_grad
def extremes(vectors: torch.Tensor, head: torch.Tensor, top: int) -> Extremes:
    """Find the tokens that senses favour and disfavour.

    Args:
        vectors: `(words, senses, d)`.
        head: Output embeddings of the tokens that may be named, `(tokens, d)`.
        top: How many, at most half of all tokens.

    Returns:
        Tokens and logits.
    """
    top = min(top, max(len(head) // 2, 1))
    parts = []
    for some in parts_of(len(vectors), vectors.shape[1] * len(head), "logits"):
        logits = vectors[some] @ head.float().T
        high, low = logits.topk(top), logits.topk(top, largest=False)
        parts.append((high.indices, high.values, low.indices, low.values))
    return Extremes(*(torch.cat(each).cpu() for each in zip(*parts)))


@no_grad
def nearest_senses(
    vectors: torch.Tensor, among: torch.Tensor, own: Sequence[int | None], count: int, *, same: bool
) -> NearestSenses:
    """Find the senses of other words that are nearest by cosine.

    Args:
        vectors: `(words, senses, d)`.
        among: `(others, senses, d)`.
        own: Which of the others each word is; None where it is none of them.
        count: How many.
        same: Whether only senses of the same index count.

    Returns:
        Words, senses and cosines.
    """
    units, others = functional.normalize(vectors, dim=-1), functional.normalize(among, dim=-1)
    n, k = others.shape[:2]
    count = min(count, max(n - 1, 0) * (1 if same else k))
    parts = []
    for some in parts_of(len(units), k * n * (1 if same else k), "neighbours"):
        cosines = torch.einsum("akd,bkd->akb" if same else "akd,bmd->akbm", units[some], others)
        for row, place in enumerate(own[some]):
            if place is not None:
                cosines[row, :, place] = -2.0
        best = cosines.flatten(2).topk(count)
        index = torch.arange(k, device=units.device)[:, None].expand_as(best.indices) if same else best.indices % k
        parts.append((best.indices if same else best.indices // k, index, best.values))
    return NearestSenses(*(torch.cat(each).cpu() for each in zip(*parts)))


def parts_of(count: int, size: int, name: str) -> Iterator[slice]:
    """Yield slices of `count` words, so many at a time that their numbers, `size` of each word, fit; with a bar."""
    several = max(LOGITS // max(size, 1), 1)
    with Progress(total=count, desc=name, unit="word", leave=False, disable=None) as bar:
        for start in range(0, count, several):
            yield slice(start, start + several)
            bar.update(min(several, count - start))
