"""How results are shown and kept: a table, lines of metrics.jsonl, a CSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.lazy import rich
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text

END = "<!-- end -->"


@dataclass(frozen=True)
class Table:
    """A table, for the screen and for a page.

    Args:
        title: What stands above it.
        columns: The headings.
        rows: The cells.
        words: How many of the first columns are words; the others are numbers.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1

    def print(self) -> None:
        """Print it."""
        print_table(self.title, self.columns, self.rows, self.words)

    def markdown(self) -> str:
        """The table as Markdown, without its title."""
        rule = ["---"] * self.words + ["---:"] * (len(self.columns) - self.words)
        return "".join(f"| {' | '.join(line)} |\n" for line in (self.columns, rule, *self.rows))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> None:
    """Print a table.

    Args:
        title: What stands above it.
        columns: The headings.
        rows: The cells of each row.
        words: How many of the first columns are words; the others are numbers, to the right.
    """
    table = rich.table.Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < words else "right", overflow="fold", no_wrap=place >= words)
    for row in rows:
        table.add_row(*row)
    console().print(table)


def write_between(path: Path, mark: str, text: str) -> None:
    """Write into a Markdown page, and say so.

    Args:
        path: The page; what stands between the lines `<!-- MARK -->` and `<!-- end -->` in it is replaced. A new one is
            the text alone.
        mark: The mark.
        text: What to write.

    Raises:
        UserError: When there is a page, and it has no such lines.
    """
    start = f"<!-- {mark} -->"
    page = path.read_text(encoding="utf-8") if path.exists() else f"{start}\n{END}\n"
    before, begin, rest = page.partition(f"{start}\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UserError(f"{path} has no lines {start} and {END} to write between.")
    write_text(path, f"{before}{begin}\n{text.strip()}\n\n{end}{after}")
    click.echo(f"wrote {path}")


WIDE = 160  # columns of what goes to a file: rich would take 80


def raise_broken_pipe() -> None:
    """Leave it to the program what happens when nobody reads its output any more; rich would end with code 1."""
    raise BrokenPipeError


def console() -> rich.console.Console:
    """Where tables are printed; wide where there is no terminal."""
    found = rich.console.Console(markup=False, highlight=False)
    found.on_broken_pipe = raise_broken_pipe  # type: ignore[method-assign]
    if not found.is_terminal:
        found.width = WIDE
    return found


def print_metrics(title: str, runs: Sequence[str], found: Mapping[str | None, Mapping[str, Any]]) -> None:
    """Print one line for every run and data set.

    Args:
        title: What stands above the table.
        runs: What to call each run.
        found: The name of each data set to its metrics, arrays over runs.
    """
    table = rich.table.Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    named = any(found)
    table.add_column("run", overflow="fold")
    if named:
        table.add_column("set")
    every = dict.fromkeys(name for metrics in found.values() for name in metrics)
    names = [name for name in every if name.removesuffix("_low").removesuffix("_high") not in every.keys() - {name}]
    for name in names:
        table.add_column(name, justify="right")
    for r, run in enumerate(runs):
        for key, metrics in found.items():
            table.add_row(run, *([key or ""] if named else []), *(cell(metrics, name, r) for name in names))
    console().print(table)


def cell(metrics: Mapping[str, Any], name: str, replica: int) -> str:
    """A metric as it is printed, with its interval where `NAME_low` and `NAME_high` are its ends.

    Args:
        metrics: Name to an array over replicas.
        name: The metric; empty is what is printed of one that was not measured.
        replica: Whose.

    Returns:
        `0.8613 [0.8490-0.8731]`, or the number alone.
    """
    values = [f"{metrics[each][replica]:.4f}" for each in (name, f"{name}_low", f"{name}_high") if each in metrics]
    return f"{values[0]} [{values[1]}-{values[2]}]" if len(values) == 3 else "".join(values[:1])
