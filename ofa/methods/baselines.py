"""Rows that need nothing but the two vocabularies: the mean of all, random ones, and the mean of their subwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ofa.initialise import EmbeddingOptions, Folders, Transplant, init
from ofa.plan import InitContext, Kind, RowSources
from ofa.vocabulary import Vocabulary
from semeqv.grammar.action import action
from semeqv.lazy import numpy
from semeqv.text.tokenizers.encoding import encode
from semeqv.train.compute import Compute


@dataclass(frozen=True, kw_only=True)
class Mean:
    """Every new row is the mean of the old rows."""

    name: ClassVar[str] = "mean"

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Let the other rows be the mean; see `Method.fill`."""
        row_sources.set(row_sources.open(), Kind.MEAN)


@action("ofa init mean")
def init_mean(
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    folders: Folders,
    embedding: EmbeddingOptions = EmbeddingOptions(),
) -> Transplant:
    """Let the row of every new token be the mean of the old rows.

    Tokens that both vocabularies have are copied. The new tokens then have the same logit, and none is likelier than an
    average old one (Hewitt, 2021, "Initializing New Word Embeddings for Pretrained Language Models").

    Args:
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.
        folders: What is opened, and where the new model is written.
        embedding: What the new embedding is like.

    Returns:
        The new model, and where its rows come from.
    """
    return init(Mean(), folders, embedding, seed, compute)


@dataclass(frozen=True, kw_only=True)
class Random:
    """Every new row is drawn from a normal distribution."""

    name: ClassVar[str] = "random"

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Leave all rows without an origin, which are then drawn; see `Method.fill`."""


@action("ofa init random")
def init_random(
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    folders: Folders,
    embedding: EmbeddingOptions = EmbeddingOptions(),
) -> Transplant:
    """Draw the rows of new tokens from a normal distribution, with the mean and the deviation of the old rows.

    Tokens that both vocabularies have are copied. Mean and deviation are those of each number of a row (or coordinate,
    with --keep_dim), as in OFA for the tokens that nothing is known of (Liu et al., 2023, arXiv 2311.08849).

    Args:
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.
        folders: What is opened, and where the new model is written.
        embedding: What the new embedding is like.

    Returns:
        The new model, and where its rows come from.
    """
    return init(Random(), folders, embedding, seed, compute)


@dataclass(frozen=True, kw_only=True)
class SubwordMean:
    """A new row is the mean of the old rows of its subwords."""

    name: ClassVar[str] = "subword-mean"

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Combine the subwords; see `Method.fill`."""
        combine_subwords(row_sources, context)


@action("ofa init subword-mean")
def init_subword_mean(
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    folders: Folders,
    embedding: EmbeddingOptions = EmbeddingOptions(),
) -> Transplant:
    """Let the row of a new token be the mean of the rows of the subwords that the old tokenizer cuts it into.

    Tokens that both vocabularies have are copied. A token without text of its own, such as half a character, and one
    that the old tokenizer does not know, is drawn (see `cli ofa init random`).

    Args:
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.
        folders: What is opened, and where the new model is written.
        embedding: What the new embedding is like.

    Returns:
        The new model, and where its rows come from.
    """
    return init(SubwordMean(), folders, embedding, seed, compute)


def combine_subwords(row_sources: RowSources, context: InitContext) -> None:
    """Let rows be the mean of the rows of their subwords.

    Args:
        row_sources: Rows without an origin are given one, where the old tokenizer knows the token.
        context: Both vocabularies.
    """
    texts = {row: text_of(context.target.spellings.get(row)) for row in row_sources.open().tolist()}
    spelled = {row: text for row, text in texts.items() if text}
    for row, ids in zip(spelled, subwords_of(list(spelled.values()), context.source)):
        if ids:
            subwords, counts = numpy.unique(numpy.array(ids), return_counts=True)
            row_sources.combine(numpy.full(len(subwords), row), subwords, (counts / len(ids)).astype(numpy.float32))


def subwords_of(texts: Sequence[str], vocabulary: Vocabulary) -> list[list[int]]:
    """Cut texts into subwords, which spell them exactly where the tokenizer can be brought to it.

    Args:
        texts: Words, a space first where they begin one, and parts of words.
        vocabulary: Of the subwords.

    Returns:
        The ids of each; unknown ones, and a lone space before a part of a word, left out.
    """
    unknown, spellings = vocabulary.tokenizer.unk_token_id, vocabulary.spellings
    exact = encode(vocabulary.tokenizer, texts)
    bare = encode(vocabulary.tokenizer, [text.strip() or text for text in texts])  # own space
    subwords = []
    for text, *candidates in zip(texts, exact, bare):
        cut = [[number for number in ids if number != unknown and number in spellings] for ids in candidates]
        spelled = [b"".join(spellings[number] for number in ids) for ids in cut]
        ids = cut[spelled.index(text.encode())] if text.encode() in spelled else cut[1]
        if len(ids) > 1 and spellings[ids[0]] == b" " and not text.startswith(" "):
            ids = ids[1:]
        subwords.append(ids)
    return subwords


def text_of(spelled: bytes | None) -> str | None:
    """Return the text of a token; None when it is no whole characters."""
    try:
        return None if spelled is None else spelled.decode()
    except UnicodeDecodeError:
        return None
