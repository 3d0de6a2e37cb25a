"""Results of any runs as an action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import click

from semeqv.grammar.action import AtLeast, Positional, Result, action
from semeqv.lazy import pandas
from semeqv.results.table import average, check_columns, read
from semeqv.results.table import compare as compare_runs
from semeqv.results.tables import Table, write_between
from semeqv.runs.errors import UserError


@dataclass(frozen=True)
class Results(Result):
    """Averages over runs, or comparisons of runs.

    Args:
        table: A row for each; see `average` and `compare`.
        digits: Behind the decimal point, when it is shown.
    """

    table: pandas.DataFrame
    digits: int = 4

    def shown(self) -> Table:
        """Return it as a table of words."""
        numbers = [name for name in ("n", "value", "low", "high", "p", "p_holm") if name in self.table]
        words = [name for name in self.table if name not in (*numbers, "own_low", "own_high")]
        rows = [[cell(row[name], self.digits) for name in [*words, *numbers]] for row in self.records()]
        return Table("95% intervals over runs by Student's t", [*words, *numbers], rows, words=len(words))

    def show(self) -> None:
        """Print the table."""
        self.shown().print()

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each row; what is no number is None."""
        return [
            {name: None if pandas.isna(value) else value for name, value in row.items()}
            for row in self.table.to_dict("records")
        ]


def cell(value: Any, digits: int) -> str:
    """Write a value as a cell of a table."""
    return "" if value is None else f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def check(options: Any) -> None:
    """Refuse comparisons that name no column: `ValueError`."""
    if options.compare and not all(options.compare.partition("=")):
        raise ValueError(f"--compare takes COLUMN=BASELINE, such as variant=gpt2, not {options.compare!r}.")
    if any(not all(each.partition("=")) for each in options.where):
        raise ValueError("--where takes COLUMN=VALUE, such as language=en.")


@action("results", check=check, record=False)
def results(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    split: str | None = None,
    metric: Sequence[str] = (),
    where: Sequence[str] = (),
    by: Sequence[str] = (),
    compare: str | None = None,
    markdown: Path | None = None,
    part: str = "results",
    digits: Annotated[int, AtLeast(1, 10)] = 4,
) -> Results:
    """Show what any runs have measured: averages over seeds, or comparisons run by run, with intervals.

    Runs are told apart by their folders: `runs/xor/42-lstm` is the run of the experiment `runs/xor` with the seed 42
    and the variant `lstm`. Of a number that was measured while a run trained, the last one counts.

    Args:
        paths: Folders of runs, folders with such folders, or files metrics.jsonl.
        split: Of which part of the data: train, validation or test; all if left out.
        metric: Which number; may be repeated. All if left out.
        where: Only lines that say so, `language=en`; may be repeated.
        by: What is averaged apart, such as `language`; may be repeated. All that differs if left out.
        compare: A column, and the value in it that the others are compared with, `variant=gpt2`: differences of runs
            of one seed, with the paired t test, and Holm's correction for all rows.
        markdown: Write the table into this page, too, between the lines `<!-- PART -->` and `<!-- end -->`.
        part: The mark in the page.
        digits: Behind the decimal point.

    Returns:
        The table. `read`, `narrowed` and `compare` raise `UserError` when there is no such number, column or value.

    Raises:
        click.UsageError: There is no run.
    """
    if not paths:
        raise click.UsageError("cli results: give folders of runs, or files metrics.jsonl")
    table = read(*paths, split=split)
    for each in where:
        column, _, value = each.partition("=")
        check_columns(table, [column])
        table = narrowed(table, column, [value])
    if metric:
        table = narrowed(table, "metric", metric)
    if compare is None:
        found = average(table, by or None)
    else:
        column, _, baseline = compare.partition("=")
        found = compare_runs(table, column, baseline, by or None)
    shown = Results(found, digits)
    if markdown is not None:
        write_between(markdown, part, shown.shown().markdown())
    return shown


def narrowed(table: pandas.DataFrame, column: str, values: Sequence[str]) -> pandas.DataFrame:
    """Return the rows of a table that have one of some values in a column.

    Args:
        table: The table.
        column: The column.
        values: As text.

    Returns:
        At least one row.

    Raises:
        UserError: There is none.
    """
    rows = table[table[column].astype(str).isin(values)]
    if rows.empty:
        known = ", ".join(dict.fromkeys(table[column].astype(str)))
        raise UserError(f"No number has {' or '.join(values)} as its {column}; there is {known}.")
    return rows
