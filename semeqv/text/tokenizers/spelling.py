"""How the tokens of a vocabulary are spelled: what marks words, and the bytes that a token stands for."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

CJK = re.compile(r"[\u2e80-\u303f\u31c0-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")  # WordPiece parts these characters
BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")  # how SentencePiece spells a byte that it falls back to


@dataclass(frozen=True)
class Convention:
    """How a tokenizer marks where words begin or end.

    Args:
        mark: What stands before a token, or after it.
        variant: What to call two tokens that differ by the mark alone.
        whole: Whether it is the marked token that can be a whole word.
    """

    mark: str
    variant: str
    whole: bool

    def split(self, token: str) -> tuple[str, bool]:
        """The token without its mark, and whether it had one."""
        if self.mark == "</w>":
            return token.removesuffix(self.mark), token.endswith(self.mark)
        return token.removeprefix(self.mark), token.startswith(self.mark)

    def spelled(self, token: str) -> bytes:
        """The bytes that a token stands for, a space first where it begins a word.

        So tokens of different tokenizers compare: `Ġdog`, `▁dog` and the `dog` of WordPiece are all ` dog`.

        Args:
            token: As the vocabulary spells it; no special token.

        Returns:
            UTF-8, or a part of a character where the token is one.
        """
        if self.mark == BYTE_LEVEL.mark:
            found = byte_level(token)
            return token.encode() if found is None else found
        if self.mark == SENTENCE_PIECE.mark:
            byte = BYTE.fullmatch(token)
            return bytes.fromhex(byte[1]) if byte else token.replace(self.mark, " ").encode()
        text, marked = self.split(token)
        begins = marked == self.whole
        if self.mark == WORD_PIECE.mark:  # punctuation and ideographs are words wherever they stand
            begins = begins and unicodedata.category(text[:1] or " ")[0] in "LMN" and not CJK.match(text)
        return (" " * begins + text).encode()


BYTE_LEVEL = Convention("Ġ", "leading space", whole=True)  # BPE of bytes: a space, as it prints them
SENTENCE_PIECE = Convention("▁", "leading space", whole=True)
WORD_PIECE = Convention("##", "## inside a word", whole=False)
WORD_END = Convention("</w>", "</w> at the end", whole=True)  # BPE of Sennrich et al.
CONVENTIONS = (BYTE_LEVEL, SENTENCE_PIECE, WORD_PIECE, WORD_END)

VISIBLE = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
HIDDEN = [byte for byte in range(256) if byte not in VISIBLE]
BYTES = {chr(byte): byte for byte in VISIBLE} | {chr(256 + place): byte for place, byte in enumerate(HIDDEN)}


def convention_of(tokens: dict[str, int]) -> Convention:
    """The convention that most tokens of a vocabulary follow; WordPiece, which marks nothing at a start, if none do."""
    counts = [sum(convention.split(token)[1] for token in tokens) for convention in CONVENTIONS]
    best = max(range(len(counts)), key=counts.__getitem__)
    return CONVENTIONS[best] if counts[best] else WORD_PIECE


def byte_level(token: str) -> bytes | None:
    """The bytes of a token of byte-level BPE; None when it is none.

    Every byte is printed as a character: itself where it is a visible one of Latin-1, else one from U+0100 on
    (Radford et al., 2019, `bytes_to_unicode` of their encoder).
    """
    try:
        return bytes(BYTES[character] for character in token)
    except KeyError:
        return None


def spellings(tokenizer: Any) -> dict[int, bytes]:
    """The bytes that the tokens of a vocabulary stand for.

    Args:
        tokenizer: A tokenizer of transformers.

    Returns:
        By id, in its order; special tokens, which stand for no text, are left out.
    """
    tokens = tokenizer.get_vocab()
    convention, special = convention_of(tokens), set(tokenizer.all_special_ids)
    ordered = sorted(tokens.items(), key=lambda item: item[1])
    return {number: convention.spelled(token) for token, number in ordered if number not in special}


def rows_needed(tokenizer: Any) -> int:
    """Return how many rows of an embedding the tokens of a tokenizer need: ids may have gaps, so that it is more than
    there are tokens.
    """
    return max(tokenizer.get_vocab().values(), default=-1) + 1


def tokens_by_id(tokenizer: Any) -> list[str]:
    """Return the token of each id, as the vocabulary spells it; empty where no token has the id."""
    found = [""] * rows_needed(tokenizer)
    for token, number in tokenizer.get_vocab().items():
        found[number] = token
    return found
