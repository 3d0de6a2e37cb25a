"""The table of averages: for the screen and for a page, as CSV and as JSON."""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

import click

from semeqv.results.averages import Row
from semeqv.results.tables import Table
from semeqv.runs.files import write_text

HEADING = ("experiment", "sets", "score", "runs", "mean", "over runs", "over sentences")


def cells(row: Row, digits: int) -> list[str]:
    """A row as it is shown."""
    return [
        row.experiment,
        row.sets,
        row.metric.replace("_", " "),
        str(row.runs),
        f"{row.mean:.{digits}f}",
        interval(row.low, row.high, digits),
        interval(row.sentences_low, row.sentences_high, digits),
    ]


def interval(low: float, high: float, digits: int) -> str:
    """An interval as it is shown; nothing where there is none."""
    return "" if math.isnan(low) else f"[{low:.{digits}f}, {high:.{digits}f}]"


def table(rows: Sequence[Row], digits: int) -> Table:
    """The table, for the screen and for a page."""
    return Table("", HEADING, [cells(row, digits) for row in rows], words=3)


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write the table, its numbers in full: as JSON if the name of the file says so, else as CSV.

    Args:
        path: The file.
        rows: The table; where an interval is missing, the ends of it are empty, or null.
    """
    names = [field.name for field in fields(Row)]
    values = [[None if isinstance(value, float) and math.isnan(value) else value for value in astuple(r)] for r in rows]
    if path.suffix == ".json":
        text = json.dumps([dict(zip(names, row)) for row in values], indent=2, ensure_ascii=False) + "\n"
    else:
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([names, *values])
        text = table.getvalue()
    write_text(path, text)
    click.echo(f"wrote {path}")
