"""What runs have measured, on average."""

from dataclasses import dataclass
from pathlib import Path

import click

from semeqv.grammar.component import component, positional


@component("backpack report")
@dataclass(frozen=True, kw_only=True)
class Report:
    """Print what was measured of Backpacks and of their controls, on average over runs.

    Folders of runs are called like `42-senses8`, `42-gpt2` and `42-senses8-suppressed`; `cli perplexity` and the
    measures of `cli backpack` have added lines to their metrics.jsonl. Runs that differ by their seed alone are
    averaged; intervals over runs are Student's, at 95%.

    Args:
        paths: Folders of measured runs, or of folders of runs.
        output: Write all averages to this file too, as JSON, with the value of each run.
        markdown: Write the tables into this Markdown page too, between the lines `<!-- PART -->` and `<!-- end -->`.
        part: Of these lines.
    """

    paths: tuple[Path, ...] = positional()
    output: Path | None = None
    markdown: Path | None = None
    part: str = "measures"

    def build(self) -> None:
        """Read the runs, print, and write."""
        import json

        from backpack.averages import averages, read_measured
        from backpack.page import tables
        from semeqv.results.tables import write_between
        from semeqv.runs.files import write_text

        if not self.paths:
            raise click.UsageError(
                "cli backpack report: give folders of measured runs, such as runs/backpack-babel/measured"
            )
        rows = averages(read_measured(self.paths))
        shown = list(tables(rows))
        for table in shown:
            table.print()
        if self.output is not None:
            write_text(self.output, json.dumps([vars(row) for row in rows], indent=1) + "\n")
            click.echo(f"wrote {self.output}")
        if self.markdown is not None:
            write_between(
                self.markdown, self.part, "\n".join(f"**{table.title}**\n\n{table.markdown()}" for table in shown)
            )
