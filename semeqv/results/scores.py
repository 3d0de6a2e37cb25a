"""Averages of what runs have measured."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import click

from semeqv.grammar.component import component, positional


@component("scores")
@dataclass(frozen=True, kw_only=True)
class Scores:
    """Average the scores of runs over seeds, and over groups of the sets that they were measured on.

    Runs that differ by their seed alone (`42-NAME`, `43-NAME` in one folder) are one experiment. A score of a group is
    the mean over its sets, first of each run; the interval over runs is Student's, at 95%. The interval over sentences
    is the bootstrap one that each run has written, its ends averaged.

    Args:
        paths: Files metrics.jsonl, folders of runs, or folders with such folders.
        split: Which sets.
        metric: A score to show, of the experiments that have it; may be repeated. All but losses if left out.
        group: Sets to average over, such as `head=en,de`, or `all` for all sets of a run; may be repeated.
        subsets: A JSON file of lists of sets, `{"head": ["de", "fr"], "tail": ["sw"]}`; each is a group of those of its
            sets that an experiment has.
        output: Write the table to this file too, as JSON if its name ends in .json, else as CSV.
        markdown: Write it into this Markdown page too, between the lines `<!-- PART -->` and `<!-- end -->`.
        part: Of these lines.
        digits: Digits behind the point.
    """

    paths: tuple[Path, ...] = positional()
    split: Literal["validation", "test"] = "test"
    metric: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    subsets: Path | None = None
    output: Path | None = None
    markdown: Path | None = None
    part: str = "scores"
    digits: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.digits <= 10:
            raise ValueError(f"--digits must be from 1 to 10, not {self.digits}.")
        names = [said.partition("=")[0] for said in self.group]
        if len(set(names)) < len(names):
            raise ValueError("--group names one group twice.")

    def build(self) -> None:
        """Read, average, print and write."""
        from semeqv.results.averages import averaged, read_runs, read_subsets
        from semeqv.results.scores_tables import table, write_rows
        from semeqv.results.tables import write_between

        if not self.paths:
            raise click.UsageError("cli scores: give folders of runs, or files metrics.jsonl")
        groups = {}
        for said in self.group:
            name, _, sets = said.partition("=")
            groups[name] = tuple(filter(None, sets.split(",")))
        runs = read_runs(self.paths, self.split)
        rows = averaged(runs, tuple(self.metric), groups, read_subsets(self.subsets))
        shown = table(rows, self.digits)
        shown.print()
        if self.output is not None:
            write_rows(self.output, rows)
        if self.markdown is not None:
            write_between(self.markdown, self.part, shown.markdown())
