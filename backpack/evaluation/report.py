"""What the runs of the headline experiment show: tables, and a page."""

from dataclasses import dataclass
from pathlib import Path

import click

from semeqv.engine.component import component, positional


@component("backpack report")
@dataclass(frozen=True, kw_only=True)
class Report:
    """Print what was measured of Backpacks and of their controls, on average over runs.

    Folders of runs are called like `42-backpack` and `42-gpt2`; `cli perplexity`, `cli backpack coverage`,
    `disambiguation` and `invariance` have added lines to their metrics.jsonl. Intervals over runs are Student's, at
    95%.

    Args:
        paths: Folders of measured runs, or of folders of runs.
        output: Write a page to this Markdown file too, and its numbers beside it as JSON. It shows the figure
            senses.png of the folder called like the file.
    """

    paths: tuple[Path, ...] = positional()
    output: Path | None = None

    def __post_init__(self) -> None:
        if self.output is not None and self.output.suffix != ".md":
            raise ValueError(f"--output {self.output}: the page is Markdown; write {self.output.with_suffix('.md')}")

    def build(self) -> None:
        """Read the runs, print, and write the page."""
        import json

        from backpack.evaluation.averages import averages, read_measured
        from backpack.evaluation.page import page, tables
        from semeqv.engine.runs import write_text
        from semeqv.tasks.measures.report import print_table

        if not self.paths:
            raise click.UsageError(
                "cli backpack report: give folders of measured runs, such as runs/backpack-babel/measured"
            )
        rows = averages(read_measured(self.paths))
        for table in tables(rows):
            print_table(table.title, table.columns, table.rows, table.words)
        if self.output is not None:
            numbers = self.output.with_suffix(".json")
            write_text(self.output, page(rows, self.output.stem))
            write_text(numbers, json.dumps([vars(row) for row in rows], indent=2) + "\n")
            click.echo(f"wrote {self.output} and {numbers.name}")
