"""FOCUS: new rows of shared tokens that are similar, by vectors of the new tokens themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ofa.initialise import EmbeddingOptions, Folders, Transplant, init
from ofa.plan import InitContext, RowSources
from ofa.vectors.word_vectors import WordVectors, as_vectors, unit
from semeqv.grammar.action import action
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.train.compute import Compute

if TYPE_CHECKING:  # from Python, vectors that are open already will do
    Vectors = Path | WordVectors
else:
    Vectors = Path

CELLS = 2**23  # similarities at once


@dataclass(frozen=True, kw_only=True)
class Focus:
    """A new row is a combination of the rows of shared tokens that are similar.

    Args:
        vectors: Vectors of the new tokens, as the new tokenizer writes them.
    """

    name: ClassVar[str] = "focus"

    vectors: Vectors

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Combine the shared tokens; see `Method.fill`."""
        combine_shared(row_sources, context, as_vectors(self.vectors))


@action("ofa init focus")
def init_focus(
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    folders: Folders,
    method: Focus,
    embedding: EmbeddingOptions = EmbeddingOptions(),
) -> Transplant:
    """Make new rows of those of shared tokens that are similar, similar by vectors of the new tokens themselves.

    FOCUS (Dobler & de Melo, 2023, arXiv 2305.14481): the tokens of the new vocabulary have vectors of their own,
    trained on text of the new language (`cli ofa token-vectors`). A new token becomes the convex combination of all
    tokens that both vocabularies have, weighted by the sparsemax of its cosines to them (Martins & Astudillo, 2016,
    arXiv 1602.02068), which leaves most out. Tokens that both have are copied, and those without a vector are drawn.

    Args:
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.
        folders: What is opened, and where the new model is written.
        method: Options of the method.
        embedding: What the new embedding is like.

    Returns:
        The new model, and where its rows come from.
    """
    return init(method, folders, embedding, seed, compute)


def combine_shared(row_sources: RowSources, context: InitContext, vectors: WordVectors) -> None:
    """Let rows be combinations of those of the shared tokens, by the sparsemax of their cosines.

    Args:
        row_sources: Rows without an origin that have a vector, which is not zero, are given one.
        context: Both vocabularies. Its facts are given how many tokens have vectors, and how many a row is made of.
        vectors: Vectors of the new tokens; one of zeros, which is like no other, is none.

    Raises:
        UserError: When no shared token has a vector.
    """
    place = {word: row for row, word in enumerate(vectors.words) if vectors.matrix[row].any()}
    tokens = context.target.tokens
    new_tokens = [(i, place[tokens[i]]) for i in row_sources.open().tolist() if tokens.get(i) in place]
    known = [
        (old, place[tokens[new]])
        for new, old in zip(*(each.tolist() for each in context.shared))
        if tokens[new] in place and new in context.target.spellings
    ]
    if not known:
        raise UserError("No shared token has a vector; are these vectors of the tokens of the new tokenizer?")
    context.facts["tokens with vectors"] = {"shared": len(known), "new": len(new_tokens)}
    if not new_tokens:
        return
    rows, sources = numpy.array([i for i, _ in new_tokens]), numpy.array([old for old, _ in known])
    every = unit(vectors.matrix)
    right = torch.from_numpy(every[[at for _, at in known]]).T.to(context.device)
    queries, few, support = every[[at for _, at in new_tokens]], max(CELLS // len(known), 1), 0
    for start in Progress(range(0, len(rows), few), desc="sparsemax", unit="chunk", leave=False, disable=None):
        weights = sparsemax(torch.from_numpy(queries[start : start + few]).to(context.device) @ right).cpu()
        row, column = weights.nonzero(as_tuple=True)
        row_sources.combine(
            rows[start : start + few][row.numpy()], sources[column.numpy()], weights[row, column].numpy()
        )
        support += len(row)
    context.facts["tokens of a combination"] = support / len(rows)


def sparsemax(scores: torch.Tensor) -> torch.Tensor:
    """Find the nearest point of the simplex, row by row (Martins & Astudillo, 2016, algorithm 1).

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
