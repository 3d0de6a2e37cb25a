"""Roles: what the senses of each index do across the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from backpack.inspection.contributions import Extremes, parts_of
from backpack.inspection.lexicon import TokenisedWord
from semeqv.lazy import NDArray, functional, no_grad, numpy, torch

OFTEN = 6  # tokens that represent an index


@dataclass(frozen=True)
class Role:
    """What the senses of one index do, on average over words.

    Args:
        sense: The index.
        size: Their mean norm.
        common: Mean cosine between those of two different words: 1 where they are the same for all words.
        itself: Share of words that are among their own top tokens.
        related: Share of the top tokens that are among as many nearest tokens of the word, by cosine of embeddings.
        follows: Share of the top tokens that follow the word in the data more often than they occur elsewhere; None
            without data.
        often: The tokens that are most often among the top ones.
        share: For how many of the words the first of these is.
    """

    sense: int
    size: float
    common: float
    itself: float
    related: float
    follows: float | None
    often: tuple[str, ...]
    share: float

    def to_json(self) -> dict[str, Any]:
        """Return the role as a JSON object."""
        return asdict(self)


@no_grad
def roles(
    words: Sequence[TokenisedWord],
    vectors: torch.Tensor,
    extremes: Extremes,
    *,
    embeddings: torch.Tensor,
    shown: Sequence[str],
    streams: Sequence[NDArray[Any]] = (),
) -> list[Role]:
    """Describe the roles of all indices.

    Args:
        words: Words of one token each.
        vectors: Their senses, `(words, senses, d)`.
        extremes: Their top tokens.
        embeddings: Input embeddings of the tokens that may be named, `(tokens, d)`.
        shown: How each token is shown.
        streams: Tokens of a text, for `follows`.

    Returns:
        One role for each index.
    """
    own = torch.tensor([word.tokens[0] for word in words])
    n, k = vectors.shape[:2]
    sizes = vectors.norm(dim=-1).mean(0).tolist()
    together = functional.normalize(vectors, dim=-1).sum(0).square().sum(-1).cpu()  # of sums of unit vectors, (senses,)
    common = ((together - n) / max(n * (n - 1), 1)).tolist()
    itself = (extremes.top == own[:, None, None]).any(-1).float().mean(0).tolist()
    near = nearest_tokens(own, embeddings, extremes.top.shape[-1])
    related = (extremes.top[..., None] == near[:, None, None, :]).any(-1).float().mean((0, 2)).tolist()
    follows = following(own, extremes.top, len(shown), streams) if len(streams) else [None] * k
    described = []
    for sense in range(k):
        tokens, counts = torch.unique(extremes.top[:, sense], return_counts=True)
        order = counts.argsort(descending=True, stable=True)[:OFTEN]
        often = tuple(shown[token] for token in tokens[order].tolist())
        share = counts.max().item() / n
        values = sizes[sense], common[sense], itself[sense], related[sense], follows[sense]
        described.append(Role(sense, *values, often, share))
    return described


def nearest_tokens(own: torch.Tensor, embeddings: torch.Tensor, count: int) -> torch.Tensor:
    """Find the tokens nearest to some by cosine, themselves left out, `(words, count)`."""
    units, parts = functional.normalize(embeddings.float(), dim=-1), []
    for some in parts_of(len(own), len(units), "embeddings"):
        cosines = units[own[some]] @ units.T
        cosines[torch.arange(len(cosines)), own[some]] = -2.0
        parts.append(cosines.topk(min(count, len(units) - 1)).indices.cpu())
    return torch.cat(parts)


def following(own: torch.Tensor, top: torch.Tensor, size: int, streams: Sequence[NDArray[Any]]) -> list[float]:
    """Count how many of the top tokens follow their word more often than by chance.

    Args:
        own: `(words,)`.
        top: `(words, senses, top)`.
        size: Tokens that there are.
        streams: `(tokens,)` each, of a text.

    Returns:
        For each sense, the share of top tokens v for which count(x v) count(all) > count(x) count(v).
    """
    wanted = numpy.zeros(size, bool)
    wanted[own.numpy()] = True
    counts, codes, times = numpy.zeros(size, numpy.int64), [], []
    for tokens in streams:
        counts += numpy.bincount(tokens, minlength=size)[:size]
        first = wanted[tokens[:-1]]
        pairs = tokens[:-1][first].astype(numpy.int64) * size + tokens[1:][first]
        code, time = numpy.unique(pairs, return_counts=True)
        codes.append(code)
        times.append(time)
    code, place = numpy.unique(numpy.concatenate(codes), return_inverse=True)
    time = numpy.bincount(place, weights=numpy.concatenate(times), minlength=len(code))
    wanted_codes = (own[:, None, None] * size + top).numpy()
    at = numpy.minimum(numpy.searchsorted(code, wanted_codes), max(len(code) - 1, 0))
    joint = numpy.where(code[at] == wanted_codes, time[at], 0.0) if len(code) else numpy.zeros(wanted_codes.shape)
    chance = counts[own.numpy()][:, None, None] * counts[top.numpy()] / max(counts.sum(), 1)
    return (joint > chance).mean((0, 2)).tolist()  # type: ignore[no-any-return]
