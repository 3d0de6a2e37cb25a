"""How the tokens of a vocabulary are written: their letters, and whether they begin a word."""

from dataclasses import dataclass
from typing import Any

from semeqv.engine.errors import UserError


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


CONVENTIONS = (
    Convention("Ġ", "leading space", whole=True),  # byte-level BPE: a space, as it prints its bytes
    Convention("▁", "leading space", whole=True),  # SentencePiece
    Convention("##", "## inside a word", whole=False),  # WordPiece
    Convention("</w>", "</w> at the end", whole=True),  # BPE of Sennrich et al.
)


@dataclass(frozen=True)
class Form:
    """A token as it is written.

    Args:
        text: Its letters.
        whole: Whether it can be a whole word, or at least begin (or end) one.
    """

    text: str
    whole: bool

    @property
    def shape(self) -> tuple[bool, bool, bool]:
        """What it has in common with all tokens that are written the same way: its mark, and its case."""
        return self.whole, self.text.islower(), self.text.isupper()


def convention_of(tokens: dict[str, int]) -> Convention:
    """The convention that most tokens of a vocabulary follow; WordPiece, which marks nothing at a start, if none do."""
    counts = [sum(convention.split(token)[1] for token in tokens) for convention in CONVENTIONS]
    best = max(range(len(counts)), key=counts.__getitem__)
    return CONVENTIONS[best] if counts[best] else CONVENTIONS[2]


def forms_of(tokenizer: Any, size: int, shortest: int) -> tuple[dict[Form, int], Convention]:
    """The tokens of letters in a vocabulary.

    Args:
        tokenizer: A tokenizer of transformers.
        size: Rows of the embedding; tokens beyond it are left out.
        shortest: The fewest letters.

    Returns:
        Form to id, the lowest id where several tokens have one form; and the convention of the vocabulary.

    Raises:
        UserError: When there are hardly any.
    """
    tokens = tokenizer.get_vocab()
    convention = convention_of(tokens)
    special = set(tokenizer.all_special_ids)
    forms: dict[Form, int] = {}
    for token, number in sorted(tokens.items(), key=lambda item: item[1]):
        text, marked = convention.split(token)
        if convention.mark == "Ġ":
            text = decode_bytes(text)
        if len(text) >= shortest and text.isalpha() and number < size and number not in special:
            forms.setdefault(Form(text, marked == convention.whole), number)
    if len(forms) < 10:
        raise UserError(
            f"The tokenizer has only {len(forms)} tokens of {shortest} letters or more; nothing to compare."
        )
    return forms, convention


def decode_bytes(token: str) -> str:
    """The text of a token of byte-level BPE; empty when it is no whole characters.

    Every byte is printed as a character: itself where it is a visible one of Latin-1, else one from U+0100 on
    (Radford et al., 2019, `bytes_to_unicode` of their encoder).
    """
    try:
        return bytes(BYTES[character] for character in token).decode()
    except (KeyError, UnicodeDecodeError):
        return ""


VISIBLE = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
HIDDEN = [byte for byte in range(256) if byte not in VISIBLE]
BYTES = {chr(byte): byte for byte in VISIBLE} | {chr(256 + place): byte for place, byte in enumerate(HIDDEN)}
