"""What the runs of the study on text show: a table, verdicts, a Markdown report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from semeqv.grammar.component import component
from semeqv.tying.verdicts import Finding, StudyReport

if TYPE_CHECKING:
    from semeqv.results.tables import Table
    from semeqv.tying.mlm.experiments import Experiment


@component("mlm report")
@dataclass(frozen=True, kw_only=True)
class Report(StudyReport):
    """Print how close words and their doubles ended beside other pairs of words, and whether theory holds.

    An experiment is a folder of runs called like `42-encoder` and, tied, `42-encoderwt`.

    Args:
        paths: Folders of experiments, such as runs/mlm-babel.
        output: Write the report to this Markdown file too, and its numbers beside it as JSON. It shows the figure of
            each experiment, called like it, from a folder called like the file.
    """

    example: ClassVar[str] = "runs/mlm-babel"

    def read(self, folder: Path) -> Experiment:
        """Read the folder of an experiment."""
        from semeqv.tying.mlm.experiments import read_experiment

        return read_experiment(folder)

    def tables(self, experiment: Experiment) -> list[Table]:
        """The distances in each embedding."""
        from semeqv.tying.mlm.markdown import distance_table

        return [distance_table(experiment)]

    def findings(self, experiment: Experiment) -> list[Finding]:
        """What the theory says of it."""
        from semeqv.tying.mlm.findings import findings

        return findings(experiment)

    def line(self, finding: Finding) -> str:
        """A statement on the screen, after its outcome."""
        return f"{finding.theory}: {super().line(finding)}"

    def page(self, experiments: Sequence[Experiment]) -> tuple[str, dict[str, Any]]:
        """The Markdown of all of them, and the numbers behind it."""
        from semeqv.tying.mlm.markdown import to_json, to_markdown

        name = "" if self.output is None else self.output.stem
        return to_markdown(experiments, name), to_json(experiments)
