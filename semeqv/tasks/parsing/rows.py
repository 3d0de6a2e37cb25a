"""Treebanks as rows of tokens, a sentence each, and the trees of their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semeqv.lazy import Integers, NDArray, numpy
from semeqv.tasks.classification.rows import UNLABELLED, Rows, Template, word_rows

ENDLESS = 2**30


@dataclass(frozen=True)
class Trees:
    """What is said of the words of a treebank, each `(words,)`, sentence after sentence; -100 where nothing is.

    Args:
        heads: Counted from 1 in each sentence, 0 for the root.
        relations: The number of the relation to it.
        tags: The number of the part of speech.
    """

    heads: Integers
    relations: Integers
    tags: Integers


@dataclass(frozen=True)
class TreeRows:
    """Rows of tokens, one for each sentence, and the trees of the words that are read.

    Args:
        rows: The rows; their labels are the heads.
        trees: Of the words that are read.
        read: Whether each word of the treebank is read, `(words,)`; of a sentence those that are stand first.
    """

    rows: Rows
    trees: Trees
    read: NDArray[numpy.bool_]


def tree_rows(tokenizer: Any, sentences: Sequence[Sequence[str]], trees: Trees, longest: int) -> TreeRows:
    """Return rows of sentences. One that is too long is not cut, as its tree would be: of each word as many tokens are
    read as there is room for; if there is none for one of each, the last words are not read.

    Args:
        tokenizer: A fast tokenizer of transformers.
        sentences: Words of each sentence.
        trees: Their trees.
        longest: The most tokens of a row.

    Returns:
        The rows. A head that is not read is -100.
    """
    template = Template.of(tokenizer)
    room = longest - len(template.begin) - len(template.end)
    rows = word_rows(tokenizer, sentences, trees.heads, ENDLESS)
    fits, read = numpy.ones(len(rows.tokens), bool), numpy.ones(len(trees.heads), bool)
    starts, firsts = (numpy.append(0, ends[:-1]) for ends in (rows.ends, rows.label_ends))
    assert rows.words is not None
    for row in numpy.flatnonzero(rows.ends - starts > longest).tolist():
        span = slice(starts[row], rows.ends[row])
        fits[span] = fitting(rows.words[span], room)
        read[firsts[row] + room : rows.label_ends[row]] = False
    if fits.all():
        return TreeRows(rows, trees, read)
    counts = numpy.add.reduceat(read.astype(numpy.int64), firsts)
    heads = numpy.where(trees.heads <= numpy.repeat(counts, rows.label_ends - firsts), trees.heads, UNLABELLED)[read]
    shorter = Rows(
        rows.tokens[fits],
        numpy.cumsum(numpy.add.reduceat(fits.astype(numpy.int64), starts)),
        heads,
        numpy.cumsum(counts),
        rows.sentences,
        rows.words[fits],
    )
    return TreeRows(shorter, Trees(heads, trees.relations[read], trees.tags[read]), read)


def fitting(words: Integers, room: int) -> NDArray[numpy.bool_]:
    """Return which tokens of a row are read, so that those of words fit.

    Args:
        words: Which word each is of, -1 for special ones, `(tokens,)`.
        room: How many tokens of words there may be.

    Returns:
        `(tokens,)`.
    """
    inner = words >= 0
    sizes = numpy.bincount(words[inner])
    rank = numpy.arange(inner.sum()) - (numpy.cumsum(sizes) - sizes)[words[inner]]
    most = next((most for most in range(int(sizes.max()), 1, -1) if numpy.minimum(sizes, most).sum() <= room), 1)
    fits = ~inner
    fits[inner] = (rank < most) & (words[inner] < room)
    return fits
