"""What a word is made of: letters and digits, with single marks between them."""

import re
import unicodedata

MARKS = ("'", "’", "-")  # what words may have between letters
BETWEEN = "['’-]"
JOINERS = "\u200c\u200d"  # no letters by their category, but parts of words in Persian and in scripts of India
WORD = re.compile(f"x+(?:{BETWEEN}x+)*")
BEGINNING = re.compile(f"{WORD.pattern}{BETWEEN}?")
CONTINUATION = re.compile(f"{BETWEEN}?{BEGINNING.pattern}|{BETWEEN}")


def shape(text: str) -> str:
    """A text with an x in place of each letter, digit, and sign that combines with them."""
    return "".join("x" if unicodedata.category(each)[0] in "LMN" or each in JOINERS else each for each in text)


def is_word(text: str) -> bool:
    """Whether a text is one word: letters and digits, and `'`, `’` or `-` singly between them."""
    return WORD.fullmatch(shape(text)) is not None


def first_word(text: str) -> str:
    """The longest word that a text begins with; empty when it begins with none."""
    found = WORD.match(shape(text))
    return text[: found.end()] if found else ""


def begins_word(text: str) -> bool:
    """Whether a text is a word or the beginning of one, as `l'` is."""
    return BEGINNING.fullmatch(shape(text)) is not None


def continues_word(text: str) -> bool:
    """Whether a text may go on with a word that ends in a letter so far: `s`, `'s`, `-` or `n-to`, but not `'.`."""
    return CONTINUATION.fullmatch(shape(text)) is not None
