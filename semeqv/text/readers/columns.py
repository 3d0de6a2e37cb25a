"""Words and a label of each, a word a line, an empty line after each sentence: any labels, such as parts of speech."""

import re
from collections.abc import Iterator
from pathlib import Path

from semeqv.runs.errors import UserError
from semeqv.text.files import lines, some
from semeqv.text.records import Sentence, Word


def read_sentences(path: Path, columns: tuple[int, int] = (1, -1), prefix: str = "") -> Iterator[Sentence]:
    """Read a file of columns, tabs or blanks between them; lines that start with `#` and have no columns are comments.

    Raises `UserError` when there is no sentence, or a line has another number of columns than the first.

    Args:
        path: The file.
        columns: The columns of words and labels, counted from 1, or from the end where negative.
        prefix: What is left out at the start of words, `en:`.

    Yields:
        Its sentences; the `tag` of a word is its label.
    """
    yield from some(sentences(path, columns, prefix), path, "sentence of words with labels")


def sentences(path: Path, columns: tuple[int, int], prefix: str) -> Iterator[Sentence]:
    """The sentences of a file, of which there may be none."""
    words, tabs, width = list[Word](), False, 0
    at = [column - 1 if column > 0 else column for column in columns]
    for number, line in lines(path):
        where = f"{path}, line {number}"
        if not line.strip(" \t"):
            if words:
                yield Sentence(tuple(words))
            words = []
            continue
        fields = line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))
        if line.startswith("#") and "\t" not in line and (tabs or len(fields) != width):
            continue  # a comment; in a file of blanks, one with as many words as columns is a row
        tabs, width = ("\t" in line, len(fields)) if not width else (tabs, width)
        if len(fields) != width or width < max(2, *(abs(column) for column in columns)):
            raise UserError(f"{where}: {len(fields)} columns ({line!r:.40}) where a word and its label should be.")
        form, label = fields[at[0]].removeprefix(prefix), fields[at[1]].strip()
        if not form or not label:
            raise UserError(f"{where}: the {'label' if form else 'word'} is empty.")
        words.append(Word(form, tag=label))
    if words:
        yield Sentence(tuple(words))
