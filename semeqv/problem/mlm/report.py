"""What the runs of the study on text show: a table, verdicts, a Markdown report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from semeqv.engine.component import component, positional

if TYPE_CHECKING:
    from rich.console import Console

    from semeqv.problem.mlm.experiments import Experiment


@component("mlm report")
@dataclass(frozen=True, kw_only=True)
class Report:
    """Print how close words and their doubles ended beside other pairs of words, and whether theory holds.

    An experiment is a folder of runs called like `42-encoder` and, tied, `42-encoderwt`.

    Args:
        paths: Folders of experiments, such as runs/mlm-babel.
        check: Exit with 1 when a statement is not met, or cannot be measured.
        output: Write the report to this Markdown file too, and its numbers beside it as JSON. It shows the figure of
            each experiment, called like it, from a folder called like the file.
    """

    paths: tuple[Path, ...] = positional()
    check: bool = False
    output: Path | None = None

    def __post_init__(self) -> None:
        if self.output is not None and self.output.suffix != ".md":
            raise ValueError(f"--output {self.output}: the report is Markdown; write {self.output.with_suffix('.md')}")

    def build(self) -> None:
        """Read the experiments, print, and write the report."""
        from rich.console import Console

        from semeqv.problem.mlm.experiments import read_experiment
        from semeqv.problem.mlm.findings import findings

        if not self.paths:
            raise click.UsageError("cli mlm report: give folders of experiments, such as runs/mlm-babel")
        experiments = [read_experiment(path) for path in self.paths]
        console = Console(markup=False, highlight=False)
        for experiment in experiments:
            print_experiment(console, experiment)
        if self.output is not None:
            write(self.output, experiments)
        missed = sum(finding.met is not True for experiment in experiments for finding in findings(experiment))
        if self.check and missed:
            click.echo(f"{missed} statements are not met", err=True)
            raise SystemExit(1)


def write(output: Path, experiments: list[Experiment]) -> None:
    """Write the Markdown and the JSON file."""
    import json

    from semeqv.engine.runs import write_text
    from semeqv.problem.mlm.markdown import to_json, to_markdown

    numbers = output.with_suffix(".json")
    write_text(output, to_markdown(experiments, output.stem))
    write_text(numbers, json.dumps(to_json(experiments), indent=2, ensure_ascii=False) + "\n")
    click.echo(f"wrote {output} and {numbers.name}")


def print_experiment(console: Console, experiment: Experiment) -> None:
    """Print the table and the verdicts of one experiment."""
    from rich.table import Table
    from rich.text import Text

    from semeqv.problem.mlm.findings import findings, rows_of
    from semeqv.problem.mlm.markdown import cells

    console.rule(experiment.name, align="left")
    table = Table("embedding", "record", title="Mean distances, and how often doubles are closer", title_justify="left")
    for heading in ("doubles", "random", "like frequency", "closer than random", "than like frequency", "of random"):
        table.add_column(heading, justify="right")
    for row in rows_of(experiment):
        table.add_row(*cells(row))
    console.print(table)
    verdicts = Table.grid(padding=(0, 2, 0, 0))
    verdicts.add_column(no_wrap=True)
    for finding in findings(experiment):
        word, style = {True: ("met", "green"), False: ("not met", "bold red"), None: ("not measured", "yellow")}[
            finding.met
        ]
        verdicts.add_row(Text(word, style=style), f"{finding.theory}: {finding.claim}; measured {finding.measured}")
    console.print(verdicts)
    console.print()
