"""Tables of text: TSV and CSV, quoted or not, columns chosen by name or by number."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from semeqv.runs.errors import UserError
from semeqv.runs.notices import notice_once
from semeqv.text.files import LONGEST, lines, some
from semeqv.text.records import Row

NAMES = frozenset(  # what tables call their columns
    [
        *(
            "answer",
            "category",
            "class",
            "content",
            "document",
            "features",
            "feats",
            "form",
            "gold_label",
            "hypothesis",
        ),
        *("id", "idx", "inflection", "label", "labels", "language", "lemma", "msd", "pos", "premise", "question"),
        *("review", "score", "sentence", "sentence1", "sentence2", "sentences", "sentiment", "source", "tag", "tags"),
        *("target", "text", "texts", "title", "token", "tokens", "topic", "translation", "word", "words"),
    ]
)


def read_rows(
    path: Path, columns: Sequence[str | int], header: bool | None = True, quoted: bool = False, separator: str = "\t"
) -> Iterator[Row]:
    """Read some columns of a table.

    Raises `UserError` when there is no row, a column is missing, or a row has more or fewer fields than the first.

    Args:
        path: The file.
        columns: The columns, by their names in the header or by their numbers, counted from 1.
        header: Whether the first row names the columns; None if it does when the fields that are asked for all are what
            tables call their columns, which is then said on stderr.
        quoted: Whether fields may stand in double quotes, as in CSV; otherwise a quote is a character as any other.
        separator: The character between fields.

    Yields:
        The rows below the header; empty lines are skipped.
    """
    places, width = list[int](), 0

    def rows() -> Iterator[Row]:
        nonlocal places, width
        for number, fields in split(path, quoted, separator):
            if not width:
                places = [place(path, column, fields, bool(header)) for column in columns]
                width = len(fields)
                if header or (header is None and names_columns(path, [fields[at] for at in places])):
                    continue
            if len(fields) != width:
                first = "the header" if header else "the first row"
                raise UserError(f"{path}, line {number}: {len(fields)} columns, but {first} has {width}.")
            yield Row(number, tuple(fields[at] for at in places))

    yield from some(rows(), path, "row below its header" if header else "row")


def names_columns(path: Path, fields: Sequence[str]) -> bool:
    """Return whether some fields of the first row are all what tables call their columns, and say so."""
    names = all(field.strip().lower() in NAMES for field in fields)
    if names:
        notice_once(f"{path}: the first line names the columns ({', '.join(fields)}) and is not read as a row.")
    return names


def place(path: Path, column: str | int, first: Sequence[str], header: bool) -> int:
    """The index of a column.

    Args:
        path: The table, for the message.
        column: The name of the column, or its number counted from 1.
        first: The first row.
        header: Whether that row names the columns.

    Returns:
        An index into a row.

    Raises:
        UserError: When there is no such column, or more than one.
    """
    if isinstance(column, int):
        if 1 <= column <= len(first):
            return column - 1
        raise UserError(f"{path} has {len(first)} columns, but column {column} was asked for; they count from 1.")
    if not header:
        raise UserError(f"{path} is read without a header, so {column!r} must be the number of a column.")
    stripped = [name.strip() for name in first]
    if stripped.count(column) != 1:
        fault = "several columns" if column in stripped else "no column"
        raise UserError(f"{path} has {fault} {column!r}; its header says {', '.join(map(repr, stripped))!s:.200}.")
    return stripped.index(column)


def split(path: Path, quoted: bool, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table: the line that each ends on, and its fields."""
    if not quoted:
        yield from ((number, text.split(separator)) for number, text in lines(path) if text)
        return
    size = 0

    def counted() -> Iterator[str]:
        nonlocal size
        for number, text in lines(path):
            size += len(text) + 1
            if size > LONGEST:
                raise UserError(f"{path}, line {number}: the row that ends here is longer than {LONGEST:,} characters.")
            yield text + "\n"

    rows = csv.reader(counted(), delimiter=separator, strict=True, skipinitialspace=separator != " ")
    while True:
        try:
            fields = next(rows, None)
        except csv.Error as error:
            raise UserError(f"{path}, line {rows.line_num}: {error}; is a quote missing?") from None
        if fields is None:
            return
        size = 0
        if fields:
            yield rows.line_num, fields
