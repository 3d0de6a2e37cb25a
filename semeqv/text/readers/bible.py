"""Bibles, a verse a line: its reference (`MAT.1.1`), a tab, its text. Editions have not all the same verses."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from semeqv.runs.errors import UserError
from semeqv.text.archives import find, names
from semeqv.text.files import some
from semeqv.text.languages import spellings
from semeqv.text.readers import table
from semeqv.text.records import Aligned

REFERENCE = re.compile(r"[1-9A-Z][A-Z0-9]{2}\.[0-9]{1,3}\.[0-9]{1,3}[a-z]?")
MOST = 100_000  # verses of an edition; with the apocrypha there are some 37,000


def read_aligned(path: Path, editions: Sequence[str]) -> Iterator[Aligned]:
    """Read the verses that several editions have, in the order of the first.

    Args:
        path: A folder or an archive of files such as `eng-YLT-NT.tsv`.
        editions: The files without their ending, or the languages that they begin with where that is one file.

    Yields:
        The verses, named by their references.

    Raises:
        UserError: When no edition is asked for, one is missing or malformed, or the editions share no verse.
    """
    if not editions:
        raise UserError(f"{path}: say which editions to read.")
    first, *others = (file_of(path, edition) for edition in editions)
    known = [{verse.name: verse.sentences[""] for verse in read_verses(file)} for file in others]
    shared = (
        Aligned(dict(zip(editions, [verse.sentences[""], *(verses[verse.name] for verses in known)])), verse.name)
        for verse in read_verses(first)
        if all(verse.name in verses for verses in known)
    )
    yield from some(shared, first, f"verse that {', '.join(editions[1:])} have too")


def read_verses(path: Path, language: str = "") -> Iterator[Aligned]:
    """Read an edition.

    Args:
        path: The file.
        language: Under what name each verse stands in its record.

    Yields:
        Its verses, named by their references.

    Raises:
        UserError: When a reference is malformed or comes twice, or there are more verses than any Bible has.
    """
    seen = set[str]()
    for row in table.read_rows(path, (1, 2), header=False):
        reference, text = row.values
        where = f"{path}, line {row.line}"
        if not REFERENCE.fullmatch(reference):
            raise UserError(f"{where}: {reference!r:.40} is no verse; write MAT.1.1 for Matthew 1,1.")
        if reference in seen:
            raise UserError(f"{where}: {reference} comes twice.")
        if len(seen) == MOST:
            raise UserError(f"{where}: more than {MOST:,} verses; this is no Bible.")
        seen.add(reference)
        yield Aligned({language: text}, reference)


def file_of(path: Path, edition: str) -> Path:
    """The file of an edition.

    Args:
        path: The folder or archive.
        edition: The name of the file without its ending, or its language.

    Returns:
        Its path.

    Raises:
        UserError: When there is none, or the language has several.
    """
    if file := find(path, [f"{edition}.tsv"]):
        return file
    there = sorted({name.rpartition("/")[2].partition(".tsv")[0] for name in names(path) if ".tsv" in name})
    codes = spellings(edition)
    fit = [name for name in there if name.startswith(tuple(f"{code}-" for code in codes))]
    file = find(path, [f"{fit[0]}.tsv"]) if len(fit) == 1 else None
    if file is None:
        fault = "several editions" if fit else "no edition"
        raise UserError(
            f"{path} has {fault} {edition!r}; name one of {', '.join(map(repr, fit or there)) or 'none'!s:.400}."
        )
    return file
