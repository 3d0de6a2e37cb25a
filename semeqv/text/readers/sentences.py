"""Plain text as sentences of words, a sentence a line, for what reads treebanks and has none."""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from semeqv.text.files import lines, some
from semeqv.text.readers.conllu import COLUMNS
from semeqv.text.records import UNSAID, Sentence, Word

TEXT = re.compile(r"\.(txt|text)(\.\w+)?$")  # perhaps compressed
WORD = re.compile(r"\w+(?:[-'’.]\w+)*|[^\w\s]")  # marks stand alone, but within a word


def is_text(path: Path) -> bool:
    """Return whether a file is plain text: `.txt` by its name, and without the columns of CoNLL-U in its first line."""
    if not TEXT.search(path.name.lower()):
        return False
    first = next((line for _, line in lines(path) if line.strip() and not line.startswith("#")), "")
    return len(first.split("\t")) != len(COLUMNS)


def read_sentences(path: Path) -> Iterator[Sentence]:
    """Read plain text; raises `UserError` when it says nothing.

    Args:
        path: The file.

    Yields:
        A sentence for each line that is not blank: its words, and marks of punctuation as words of their own. Languages
        without blanks, and treebanks that cut words otherwise, need a tokenizer of theirs first.
    """
    yield from some((sentence(line.strip()) for _, line in lines(path) if line.strip()), path, "text")


def sentence(text: str) -> Sentence:
    """Return the words of a text, each saying whether a blank follows."""
    letters = "".join("a" if unicodedata.category(each)[0] in "LMN" else each for each in text)  # signs of vowels too
    places = [match.span() for match in WORD.finditer(letters)]
    joined = [*(after == end for (_, end), (after, _) in itertools.pairwise(places)), True]
    words = (
        Word(text[start:end], misc="SpaceAfter=No" if close else UNSAID) for (start, end), close in zip(places, joined)
    )
    return Sentence(tuple(words), (f"# text = {text}",))
