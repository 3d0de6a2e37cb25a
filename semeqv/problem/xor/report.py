"""What the runs of the XOR study show: tables, verdicts, a Markdown report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from semeqv.engine.component import component, positional

if TYPE_CHECKING:
    from rich.console import Console

    from semeqv.problem.xor.experiments import Experiment


@component("xor report")
@dataclass(frozen=True, kw_only=True)
class Report:
    """Print how far apart the embeddings of each pair ended, how accurate the runs are, and whether theory holds.

    An experiment is a folder of runs called like `42-transformer` and, tied, `42-transformerwt`.

    Args:
        paths: Folders of experiments, such as runs/xor-transformer-small.
        window: Take final accuracies over so many last records.
        check: Exit with 1 when a statement about the distances is not met, or cannot be measured.
        output: Write the report to this Markdown file too, and its numbers beside it as JSON.
    """

    paths: tuple[Path, ...] = positional()
    window: int = 20
    check: bool = False
    output: Path | None = None

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ValueError(f"--window {self.window}: write 1 or more")
        if self.output is not None and self.output.suffix != ".md":
            raise ValueError(f"--output {self.output}: the report is Markdown; write {self.output.with_suffix('.md')}")

    def build(self) -> None:
        """Read the experiments, print, and write the report."""
        from rich.console import Console

        from semeqv.problem.xor.experiments import read_experiment
        from semeqv.problem.xor.findings import acceptance

        if not self.paths:
            raise click.UsageError("cli xor report: give folders of experiments, such as runs/xor-transformer-small")
        experiments = [read_experiment(path, self.window) for path in self.paths]
        console = Console(markup=False, highlight=False)
        for experiment in experiments:
            print_experiment(console, experiment)
        if self.output is not None:
            self.write(self.output, experiments)
        missed = sum(finding.met is not True for experiment in experiments for finding in acceptance(experiment))
        if self.check and missed:
            click.echo(f"{missed} statements about the distances are not met", err=True)
            raise SystemExit(1)

    def write(self, output: Path, experiments: list[Experiment]) -> None:
        """Write the Markdown and the JSON file."""
        import json

        from semeqv.engine.runs import write_text
        from semeqv.problem.xor.markdown import to_json, to_markdown

        numbers = output.with_suffix(".json")
        write_text(output, to_markdown(experiments, self.window))
        write_text(numbers, json.dumps(to_json(experiments, self.window), indent=2) + "\n")
        click.echo(f"wrote {output} and {numbers.name}")


def print_experiment(console: Console, experiment: Experiment) -> None:
    """Print the tables and verdicts of one experiment."""
    from rich.table import Table
    from rich.text import Text

    from semeqv.problem.xor.findings import acceptance, accuracies, distances
    from semeqv.problem.xor.markdown import runs_of, spread_of, which
    from semeqv.problem.xor.statistics import learned_threshold

    console.rule(experiment.name, align="left")
    table = Table("embeddings", "pair", title="Distance at the last record", title_justify="left")
    for heading in ("runs", "median", "mean", "min-max"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in distances(experiment):
        table.add_row(which(row.tied, row.embedding), str(row.pair), runs_of(row.summary), *spread_of(row.summary))
    console.print(table)
    bayes, reach = "not recorded", "learned"
    if experiment.bayes is not None:
        bayes, reach = f"{experiment.bayes:.3f}", f">= {learned_threshold(experiment.bayes):g}"
    title = f"Final accuracy (best possible, Bayes: {bayes})"
    table = Table("embeddings", "split", title=title, title_justify="left")
    for heading in ("median", "mean", "min-max", reach):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("each run", overflow="fold")
    for row in accuracies(experiment):
        reaching = "?" if row.reaching is None else f"{row.reaching} of {row.summary.runs}"
        each = " ".join(f"{value:.2f}" for _, value in sorted(row.by_seed.items()))
        table.add_row("tied" if row.tied else "untied", row.split, *spread_of(row.summary), reaching, each)
    console.print(table)
    verdicts = Table.grid(padding=(0, 2, 0, 0))
    verdicts.add_column(no_wrap=True)
    for finding in acceptance(experiment):
        style = {True: "green", False: "bold red", None: "yellow"}[finding.met]
        verdicts.add_row(Text(finding.verdict, style=style), f"{finding.claim}; measured {finding.measured}")
    console.print(verdicts)
    console.print()
