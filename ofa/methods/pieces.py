"""The pieces that the old tokenizer cuts new tokens into."""

from collections.abc import Sequence

import numpy

from ofa.plan import Draft
from ofa.vocabulary import Vocabulary
from ofa.work import Work
from semeqv.text.tokenizers.encoding import encode


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
