"""Bilingual dictionaries in files: a word and a translation on each line, a tab between them."""

from collections.abc import Iterator
from pathlib import Path

from semeqv.text.location import locate
from semeqv.text.readers.table import read_rows


def entries(path: Path, single_words: bool = True) -> Iterator[tuple[str, str]]:
    """Read a dictionary; what `read_rows` and `locate` raise is raised.

    Args:
        path: The file, or its place under `$SEMEQV_DATA`; compressed or not.
        single_words: Whether to leave out entries of several words.

    Yields:
        A word and a translation; each pair once.
    """
    seen = set[tuple[str, str]]()
    for row in read_rows(locate(str(path), path), (1, 2), header=False):
        pair = (row.values[0].strip(), row.values[1].strip())
        if all(pair) and pair not in seen and not (single_words and any(" " in word for word in pair)):
            seen.add(pair)
            yield pair
