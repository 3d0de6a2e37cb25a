"""Rows from the nearest old subwords in a space of word vectors (OFA; Liu et al., 2023, section 3.2)."""

from typing import Any

import numpy

from ofa.mapping import map_subwords
from ofa.nearest import nearest, softmax_weights
from ofa.plan import Draft, Integers
from ofa.vectors.word_vectors import WordVectors, unit
from ofa.work import Work


def combine_nearest(
    draft: Draft, work: Work, source: WordVectors, target: WordVectors, *, neighbours: int, temperature: float
) -> None:
    """Let rows be convex combinations of those of the most similar old subwords.

    Args:
        draft: Rows without an origin whose subword is part of a word are given one.
        work: Both vocabularies. Its facts are told how many subwords have words, and how many of these.
        source: Word vectors for the old vocabulary.
        target: Those for the new one, in the same space; perhaps the same.
        neighbours: How many old subwords a new one is made of.
        temperature: Of the softmax over their cosines.
    """
    mappings = {
        "source": map_subwords(work.source.tokenizer, source.plain(), work.source.rows),
        "target": map_subwords(work.target.tokenizer, target.plain(), len(draft.kinds)),
    }
    open_rows = draft.open()
    work.facts["words"] = {
        "source": covered(mappings["source"].degree, numpy.flatnonzero(work.source.used)),
        "target": covered(mappings["target"].degree, open_rows),
    }
    old = mappings["source"].vectors(source.matrix)
    candidates = numpy.flatnonzero((mappings["source"].degree > 0) & work.source.used & (old != 0).any(1))
    new = mappings["target"].vectors(target.matrix)[open_rows]
    found = (mappings["target"].degree[open_rows] > 0) & (new != 0).any(1)
    rows = open_rows[found]
    if not len(rows) or not len(candidates):
        return
    similar, places = nearest(unit(new[found]), unit(old[candidates]), neighbours)
    weights = softmax_weights(similar, temperature)
    draft.combine(
        numpy.repeat(rows, places.shape[1]), candidates[places.numpy()].ravel(), weights.ravel().astype(numpy.float32)
    )


def covered(degree: Integers, rows: Integers) -> dict[str, Any]:
    """How many of some subwords have words, and percentiles of how many these have.

    Args:
        degree: `(subwords,)`, how many words each has.
        rows: Which subwords.

    Returns:
        The numbers, as JSON.
    """
    some = degree[rows][degree[rows] > 0]
    found: dict[str, Any] = {"subwords": len(rows), "with words": len(some)}
    if len(some):
        at = (5, 25, 50, 75, 95)
        found |= {f"{each}%": int(value) for each, value in zip(at, numpy.percentile(some, at, method="nearest"))}
    return found
