"""Bilingual dictionaries in files: a word and a translation on each line."""

from collections.abc import Iterator
from pathlib import Path

from backpack.evaluation.columns import FIRST, SECOND, read_pairs
from semeqv.text.location import locate


def entries(path: Path, single_words: bool = True) -> Iterator[tuple[str, str]]:
    """Read a dictionary; what `read_pairs` and `locate` raise is raised.

    Args:
        path: The file, or its place under `$SEMEQV_DATA`; compressed or not.
        single_words: Whether to leave out entries of several words.

    Yields:
        A word and a translation; each pair once.
    """
    seen = set[tuple[str, str]]()
    for pair in read_pairs(locate(str(path), path), (FIRST, SECOND), "a word and a related word"):
        if pair not in seen and not (single_words and any(" " in word for word in pair)):
            seen.add(pair)
            yield pair
