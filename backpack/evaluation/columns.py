"""Which columns of a table hold what: the names in its header say so, and without a header nothing is guessed."""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy

from semeqv.runs.errors import UserError
from semeqv.text.files import lines
from semeqv.text.readers.table import split

Rows = list[tuple[int, list[str]]]
FIRST = ("word1", "w1", "wordone", "worda", "term1", "first", "firstword", "source", "src", "word", "mot1")
SECOND = ("word2", "w2", "wordtwo", "wordb", "term2", "second", "secondword", "target", "tgt", "translation", "mot2")
TOPICS = ("topic", "category", "class", "label")
MEMBERS = ("word", "term", "member", "item")


def key(name: str) -> str:
    """The name of a column, its letters and digits alone: `Human (mean)` is `humanmean`."""
    return re.sub(r"[\W_]+", "", name.casefold())


def read_table(file: Path) -> Rows:
    """The rows of a table: the number of each line, and its cells, without blanks around them.

    Args:
        file: What stands between cells is what every line has: a comma, a semicolon or a tab in a `.csv`, where cells
            may be quoted; else a tab, a semicolon or a comma; else blanks.

    Returns:
        The rows in which a cell is not empty.

    Raises:
        UserError: When two rows have different numbers of cells, or there is none.
    """
    text = [(number, line.strip("\r\n")) for number, line in lines(file) if line.strip()]
    quoted = ".csv" in file.suffixes
    common = [mark for mark in (",;\t" if quoted else "\t;,") if all(mark in line for _, line in text)]
    if quoted:
        rows = list(split(file, True, common[0] if common else ","))
    else:
        rows = [(number, line.split(common[0]) if common else line.split()) for number, line in text]
    found = [(number, [cell.strip() for cell in cells]) for number, cells in rows if any(map(str.strip, cells))]
    if not found:
        raise UserError(f"{file} is empty.")
    width = len(found[0][1])
    for number, cells in found:
        if len(cells) != width:
            raise UserError(f"{file}, line {number}: {len(cells)} columns, but the first row has {width}.")
    return found


def named(file: Path, header: Sequence[str], known: Collection[str]) -> int | None:
    """The column that has one of the known names.

    Args:
        file: The table, for the message.
        header: The names of its columns.
        known: As `key` writes them.

    Returns:
        Its place; None when there is no such column.

    Raises:
        UserError: When several have one.
    """
    places = [place for place, name in enumerate(header) if key(name) in known]
    if len(places) > 1:
        names = " and ".join(repr(header[place]) for place in places)
        raise UserError(f"{file}: the columns {names} may both be what is wanted; leave one of them out.")
    return places[0] if places else None


def number_of(cell: str) -> float | None:
    """The number that a cell holds, if it is one and finite."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if numpy.isfinite(number) else None


def numeric(rows: Rows) -> list[int]:
    """The places of the columns that hold a number in every row."""
    return [place for place in range(len(rows[0][1])) if all(number_of(cells[place]) is not None for _, cells in rows)]


def read_pairs(file: Path, known: tuple[Sequence[str], Sequence[str]], what: str) -> Iterator[tuple[str, str]]:
    """Read two columns of a table: those with known names, or all that a table without a header has.

    Args:
        file: The table.
        known: Names of the one and of the other column, as `key` writes them.
        what: What stands in a row, for the message.

    Yields:
        The cells of each row.

    Raises:
        UserError: When the columns cannot be told, or a row lacks one.
    """
    rows = read_table(file)
    header = rows[0][1]
    one, other = (named(file, header, names) for names in known)
    if one is not None and other is not None and one != other and len(rows) > 1:
        rows = rows[1:]
    elif len(header) == 1:
        raise UserError(f"{file}, line {rows[0][0]}: {what} is wanted on each line, not {header[0]!r:.60}.")
    elif numbers := [place + 1 for place in numeric(rows[1:] or rows) if place < 2]:
        raise UserError(
            f"{file}: column {numbers[0]} holds numbers, and no header says what is what. {what} is wanted on each "
            f"line, or a header with {known[0][0]} and {known[1][0]}."
        )
    else:
        one, other = 0, 1
    for number, cells in rows:
        if not (cells[one] and cells[other]):
            raise UserError(f"{file}, line {number}: {what} is wanted, not {' | '.join(cells)!r:.80}.")
        yield cells[one], cells[other]
