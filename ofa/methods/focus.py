"""FOCUS: rows from similar shared tokens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from ofa.plan import Draft, Work
from ofa.vectors.word_vectors import WordVectors, read_vectors, unit
from semeqv.grammar.component import component
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress

if TYPE_CHECKING:
    from ofa.plan import Draft, Work


@component("ofa init focus")
@dataclass(frozen=True, kw_only=True)
class Focus(Method):
    """Make new rows of those of shared tokens that are similar, similar by vectors of the new tokens themselves.

    FOCUS (Dobler & de Melo, 2023, arXiv 2305.14481): the tokens of the new vocabulary have vectors of their own,
    trained on text of the new language (`cli ofa token-vectors`). A new token becomes the convex combination of all
    tokens that both vocabularies have, weighted by the sparsemax of its cosines to them (Martins & Astudillo, 2016,
    arXiv 1602.02068), which leaves most out. Tokens that both have are copied, and those without a vector are drawn.

    Args:
        vectors: Vectors of the new tokens, as the new tokenizer writes them.
    """

    vectors: Path

    def draft(self, draft: Draft, work: Work) -> None:
        """Combine the shared tokens.

        Args:
            draft: Is given the origins.
            work: Both vocabularies.
        """

        combine_shared(draft, work, read_vectors(self.vectors))


CELLS = 2**23  # similarities at once


def combine_shared(draft: Draft, work: Work, vectors: WordVectors) -> None:
    """Let rows be combinations of those of the shared tokens, by the sparsemax of their cosines.

    Args:
        draft: Rows without an origin that have a vector, which is not zero, are given one.
        work: Both vocabularies. Its facts are told how many tokens have vectors, and of how many tokens rows are made.
        vectors: Vectors of the new tokens; one of zeros, which is like no other, is none.

    Raises:
        UserError: When no shared token has a vector.
    """
    place = {word: row for row, word in enumerate(vectors.words) if vectors.matrix[row].any()}
    tokens = work.target.tokens
    kept = [(i, place[tokens[i]]) for i in draft.open().tolist() if tokens.get(i) in place]
    known = [
        (old, place[tokens[new]])
        for new, old in zip(*(each.tolist() for each in work.shared))
        if tokens[new] in place and new in work.target.spellings
    ]
    if not known:
        raise UserError("No shared token has a vector; are these vectors of the tokens of the new tokenizer?")
    work.facts["tokens with vectors"] = {"shared": len(known), "new": len(kept)}
    if not kept:
        return
    rows, sources = numpy.array([i for i, _ in kept]), numpy.array([old for old, _ in known])
    every = unit(vectors.matrix)
    right = torch.from_numpy(every[[at for _, at in known]]).T.to(work.device)
    queries, few, support = every[[at for _, at in kept]], max(CELLS // len(known), 1), 0
    for start in Progress(range(0, len(rows), few), desc="sparsemax", unit="chunk", leave=False, disable=None):
        weights = sparsemax(torch.from_numpy(queries[start : start + few]).to(work.device) @ right).cpu()
        row, column = weights.nonzero(as_tuple=True)
        draft.combine(rows[start : start + few][row.numpy()], sources[column.numpy()], weights[row, column].numpy())
        support += len(row)
    work.facts["tokens of a combination"] = support / len(rows)


def sparsemax(scores: torch.Tensor) -> torch.Tensor:
    """The nearest point of the simplex, row by row (Martins & Astudillo, 2016, algorithm 1).

    Args:
        scores: `(rows, choices)`.

    Returns:
        `(rows, choices)`, which sum to 1, most of them 0.
    """
    ordered = scores.sort(dim=1, descending=True).values
    sums = ordered.cumsum(1) - 1
    count = torch.arange(1, scores.shape[1] + 1, dtype=scores.dtype, device=scores.device)
    support = (ordered * count > sums).sum(1, keepdim=True)
    threshold = sums.gather(1, support - 1) / support
    return (scores - threshold).clamp_min(0)
