"""Rows that are all alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from ofa.plan import Draft, Work
from ofa.vocabulary import Vocabulary
from semeqv.grammar.component import component
from semeqv.lazy import numpy
from semeqv.text.tokenizers.encoding import encode

if TYPE_CHECKING:
    from ofa.plan import Draft, Work


@component("ofa init mean")
@dataclass(frozen=True, kw_only=True)
class Mean(Method):
    """Let the row of every new token be the mean of the old rows.

    Tokens that both vocabularies have are copied. The new tokens then have the same logit, and none is likelier than an
    average old one (Hewitt, 2021, "Initializing New Word Embeddings for Pretrained Language Models").
    """

    def draft(self, draft: Draft, work: Work) -> None:
        """Let the other rows be the mean.

        Args:
            draft: Is given the origins.
            work: Not needed.
        """
        from ofa.plan import Kind

        draft.set(draft.open(), Kind.MEAN)


@component("ofa init random")
@dataclass(frozen=True, kw_only=True)
class Random(Method):
    """Draw the rows of new tokens from a normal distribution, with the mean and the deviation of the old rows.

    Tokens that both vocabularies have are copied. Mean and deviation are those of each number of a row (or coordinate,
    with --keep_dim), as in OFA for the tokens that nothing is known of (Liu et al., 2023, arXiv 2311.08849).
    """

    def draft(self, draft: Draft, work: Work) -> None:
        """Leave all rows to be drawn.

        Args:
            draft: Where rows have no origin, they are drawn.
            work: Not needed.
        """


@component("ofa init subword-mean")
@dataclass(frozen=True, kw_only=True)
class SubwordMean(Method):
    """Let the row of a new token be the mean of the rows of the pieces that the old tokenizer cuts it into.

    Tokens that both vocabularies have are copied. A token without text of its own, such as half a character, and one
    that the old tokenizer does not know, is drawn (see `cli ofa init random`).
    """

    def draft(self, draft: Draft, work: Work) -> None:
        """Combine the pieces.

        Args:
            draft: Is given the origins.
            work: Both vocabularies.
        """

        combine_pieces(draft, work)


def combine_pieces(draft: Draft, work: Work) -> None:
    """Let rows be the mean of the rows of their pieces.

    Args:
        draft: Rows without an origin are given one, where the old tokenizer knows the token.
        work: Both vocabularies.
    """
    texts = {row: text_of(work.target.spellings.get(row)) for row in draft.open().tolist()}
    said = {row: text for row, text in texts.items() if text}
    for row, ids in zip(said, pieces_of(list(said.values()), work.source)):
        if ids:
            pieces, counts = numpy.unique(numpy.array(ids), return_counts=True)
            draft.combine(numpy.full(len(pieces), row), pieces, (counts / len(ids)).astype(numpy.float32))


def pieces_of(texts: Sequence[str], vocabulary: Vocabulary) -> list[list[int]]:
    """Cut texts into pieces, which spell them exactly where the tokenizer can be brought to it.

    Args:
        texts: Words, a space first where they begin one, and parts of words.
        vocabulary: Of the pieces.

    Returns:
        The ids of each; unknown ones, and a lone space before a part of a word, left out.
    """
    unknown, spellings = vocabulary.tokenizer.unk_token_id, vocabulary.spellings
    exact = encode(vocabulary.tokenizer, texts)
    bare = encode(vocabulary.tokenizer, [text.strip() or text for text in texts])  # own space
    found = []
    for text, *candidates in zip(texts, exact, bare):
        cut = [[number for number in ids if number != unknown and number in spellings] for ids in candidates]
        spelled = [b"".join(spellings[number] for number in ids) for ids in cut]
        ids = cut[spelled.index(text.encode())] if text.encode() in spelled else cut[1]
        if len(ids) > 1 and spellings[ids[0]] == b" " and not text.startswith(" "):
            ids = ids[1:]
        found.append(ids)
    return found


def text_of(spelled: bytes | None) -> str | None:
    """The text of a token; None when it is no whole characters."""
    try:
        return None if spelled is None else spelled.decode()
    except UnicodeDecodeError:
        return None
