"""`cli crosslingual report`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import click

from semeqv.grammar.component import component, positional

MEANING, FORM = ("ner", "nli", "qa"), ("pos", "parsing")


@component("crosslingual report")
@dataclass(frozen=True, kw_only=True)
class Report:
    """Join what sweeps of several runs have measured: tables of gains, the matrix, and tests of two hypotheses.

    Runs of one task and model that differ by their seed are joined. Intervals over runs are Student's, at 95%; where
    there is one run, that of the paired bootstrap over sentences stands instead, and the JSON file has both.

    Where `cli perplexity` has measured sets called `base-de` of the base and `adapted-de` of models adapted to
    languages, and `cli crosslingual compare` their vectors, there is a table of that, too.

    The hypotheses: tasks of meaning gain more than tasks of form, where both kinds were swept; and the gain goes with
    the distance of the language, where distances are given.

    Args:
        paths: Folders of sweeps (and of what was measured of languages), folders with such folders, or metrics.jsonl.
        semantic: A task of meaning, as the sweeps call it; may be repeated. ner, nli and qa if left out.
        syntactic: A task of form; may be repeated. pos and parsing if left out.
        kind: The vector whose gains the hypotheses are tested on.
        distances: A table with tabs: a column `language`, and one for each measure of distance from the source.
        output: Write a page to this Markdown file too, and its numbers beside it as JSON. It shows the figures that
            are in the folder called like the file. Of a page that is there, what stands between the lines
            `<!-- measured -->` and `<!-- end -->` is replaced.
        keep: Keep what the page that is there says of other tasks and models: its numbers come from the JSON file.
        csv: Write the table of all cells to this file, too.
    """

    paths: tuple[Path, ...] = positional()
    semantic: list[str] = field(default_factory=list)
    syntactic: list[str] = field(default_factory=list)
    kind: Literal["language", "analogy"] = "language"
    distances: Path | None = None
    output: Path | None = None
    keep: bool = False
    csv: Path | None = None

    def __post_init__(self) -> None:
        if self.keep and self.output is None:
            raise ValueError("--keep is about a page: say which, --output docs/results/crosslingual.md")
        if self.output is not None and self.output.suffix != ".md":
            raise ValueError(f"--output {self.output}: the page is Markdown; write {self.output.with_suffix('.md')}")

    def build(self) -> None:
        """Read the runs, print, and write the page."""
        from crosslingual.choosing import FIXED, ORACLE
        from crosslingual.hypotheses import tested
        from crosslingual.joined import joined, read_runs, rows_of
        from crosslingual.languages import read_languages
        from crosslingual.page import kept, numbers, write_page
        from crosslingual.sweep_tables import every_table, print_tables
        from crosslingual.sweeps_distances import read_distances
        from semeqv.runs.files import write_csv, write_text

        if not self.paths:
            raise click.UsageError("cli crosslingual report: give folders that cli crosslingual sweep has measured")
        cells = joined(read_runs(self.paths))
        languages = read_languages(self.paths, cells[0].source)
        if self.keep and self.output is not None:
            cells, languages = kept(self.output, cells, languages)
        semantic, syntactic = self.semantic or MEANING, self.syntactic or FORM
        swept = {cell.task: None for cell in cells}
        if missing := sorted({*self.semantic, *self.syntactic} - swept.keys()):
            raise click.UsageError(f"No task {missing[0]!r} was swept; there is {', '.join(swept)}")
        if not (swept.keys() & set(semantic) and swept.keys() & set(syntactic)):
            click.echo("Tasks of meaning and tasks of form are not both here: the first hypothesis is not tested.")
        tests = tested(
            cells,
            kind=self.kind,
            choices=(FIXED, ORACLE),
            semantic=semantic,
            syntactic=syntactic,
            distances=read_distances(self.distances),
        )
        print_tables(every_table(cells, tests, languages))
        if self.csv is not None:
            write_csv(self.csv, rows_of(cells))
        if self.output is not None:
            write_page(every_table(cells, tests, languages), self.output)
            write_text(self.output.with_suffix(".json"), numbers(cells, tests, languages))
