"""How results are shown and kept: a table, lines of metrics.jsonl, a CSV file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

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
    from rich import table as rich_table

    from semeqv.results.report import console

    table = rich_table.Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
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
