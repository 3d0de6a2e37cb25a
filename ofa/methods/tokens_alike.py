"""Rows from the shared tokens that are similar to a new one (FOCUS)."""

import numpy
import torch
from torch import Tensor

from ofa.plan import Draft
from ofa.vectors.word_vectors import WordVectors, unit
from ofa.work import Work
from semeqv.runs.errors import UserError
from semeqv.train.bars import Progress

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


def sparsemax(scores: Tensor) -> Tensor:
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
