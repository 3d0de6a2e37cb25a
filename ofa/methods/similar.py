"""Rows from similar old subwords, by the vectors of the words that subwords are a part of: OFA and WECHSEL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ofa.mapping import WordMapping, map_subwords
from ofa.plan import InitContext, RowSources
from ofa.topk_search import CPU, Floats, Nearest, chunks, softmax_weights
from ofa.vectors.word_vectors import WordVectors, unit
from semeqv.grammar.component import check_bounds
from semeqv.lazy import Integers, numpy, torch

if TYPE_CHECKING:  # from Python, vectors that are open already will do
    Vectors = Path | WordVectors
else:
    Vectors = Path


@dataclass(frozen=True, kw_only=True)
class Similar:
    """Options of methods that combine new rows of those of the nearest old subwords, by word vectors.

    Args:
        neighbours: Old subwords that a new one is made of.
        temperature: Of the softmax over their cosines.
        most_words: The first so many words of each file; 0 for all.
    """

    neighbours: int = 10
    temperature: float = 0.1
    most_words: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, neighbours=1, most_words=0)
        if self.temperature <= 0:
            raise ValueError(f"--temperature must be above 0, not {self.temperature}.")


def combine_nearest(
    row_sources: RowSources,
    context: InitContext,
    source: WordVectors,
    target: WordVectors,
    *,
    neighbours: int,
    temperature: float,
) -> None:
    """Let rows be convex combinations of those of the most similar old subwords.

    Args:
        row_sources: Rows without an origin whose subword is part of a word are given one.
        context: Both vocabularies. Its facts are given how many subwords have words, and how many of these.
        source: Word vectors for the old vocabulary.
        target: Those for the new one, in the same space; perhaps the same.
        neighbours: How many old subwords a new one is made of.
        temperature: Of the softmax over their cosines.
    """
    mappings = {
        "source": map_subwords(context.source.tokenizer, source.plain(), context.source.rows),
        "target": map_subwords(context.target.tokenizer, target.plain(), len(row_sources.kinds)),
    }
    open_rows = row_sources.open()
    context.facts["words"] = {
        "source": covered(mappings["source"].degree, numpy.flatnonzero(context.source.used)),
        "target": covered(mappings["target"].degree, open_rows),
    }
    old, new = (mappings["source"], source.matrix), (mappings["target"], target.matrix)
    combine_mapped(row_sources, old, new, neighbours=neighbours, temperature=temperature, device=context.device)


def combine_mapped(
    row_sources: RowSources,
    old: tuple[WordMapping, Floats],
    new: tuple[WordMapping, Floats],
    *,
    neighbours: int,
    temperature: float,
    device: torch.device | str = CPU,
) -> None:
    """Let rows be convex combinations, where the words of both vocabularies are known.

    Args:
        row_sources: As in `combine_nearest`.
        old: The words of the old subwords, and their vectors, `(words, width)`.
        new: Those of the new ones.
        neighbours: How many old subwords a new one is made of.
        temperature: Of the softmax over their cosines.
        device: Where subwords are compared; it has float64.
    """
    candidates = numpy.flatnonzero((old[0].degree > 0) & row_sources.used)
    vectors = unit(old[0].vectors(old[1], candidates))
    if not (there := vectors.any(1)).all():
        candidates, vectors = candidates[there], vectors[there]
    rows = row_sources.open()
    rows = rows[new[0].degree[rows] > 0]
    if not len(rows) or not len(candidates):
        return
    among, k = Nearest(vectors, device), min(neighbours, len(candidates))
    for some in chunks(len(rows), len(candidates)):
        queries = unit(new[0].vectors(new[1], rows[some]))
        known = queries.any(1)
        if known.any():
            similar, places = among.of(torch.from_numpy(queries[known]), k)
            weights = softmax_weights(similar, temperature)
            row_sources.combine(numpy.repeat(rows[some][known], k), candidates[places.numpy()].ravel(), weights.ravel())


def covered(degree: Integers, rows: Integers) -> dict[str, Any]:
    """Count how many of some subwords have words, with percentiles of how many these have.

    Args:
        degree: `(subwords,)`, how many words each has.
        rows: Which subwords.

    Returns:
        The numbers, as JSON.
    """
    some = degree[rows][degree[rows] > 0]
    facts: dict[str, Any] = {"subwords": len(rows), "with words": len(some)}
    if len(some):
        at = (5, 25, 50, 75, 95)
        facts |= {f"{each}%": int(value) for each, value in zip(at, numpy.percentile(some, at, method="nearest"))}
    return facts
