"""What the runs of the XOR study show: tables, verdicts, a Markdown report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from semeqv.grammar.component import component
from semeqv.tying.verdicts import Finding, StudyReport

if TYPE_CHECKING:
    from semeqv.results.tables import Table
    from semeqv.tying.xor.experiments import Experiment


@component("xor report")
@dataclass(frozen=True, kw_only=True)
class Report(StudyReport):
    """Print how far apart the embeddings of each pair ended, how accurate the runs are, and whether theory holds.

    An experiment is a folder of runs called like `42-transformer` and, tied, `42-transformerwt`.

    Args:
        paths: Folders of experiments, such as runs/xor-transformer-small.
        window: Take final accuracies over so many last records.
        check: Exit with 1 when a statement about the distances is not met, or cannot be measured or decided.
    """

    example: ClassVar[str] = "runs/xor-transformer-small"

    window: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window < 1:
            raise ValueError(f"--window {self.window}: write 1 or more")

    def read(self, folder: Path) -> Experiment:
        """Read the folder of an experiment."""
        from semeqv.tying.xor.experiments import read_experiment

        return read_experiment(folder, self.window)

    def tables(self, experiment: Experiment) -> list[Table]:
        """The distances of each pair, and the accuracies."""
        from semeqv.tying.xor.markdown import accuracy_table, distance_table

        return [distance_table(experiment), accuracy_table(experiment, each=False)]

    def findings(self, experiment: Experiment) -> list[Finding]:
        """What the theory says of the distances."""
        from semeqv.tying.xor.findings import acceptance

        return acceptance(experiment)

    def page(self, experiments: Sequence[Experiment]) -> tuple[str, dict[str, Any]]:
        """The Markdown of all of them, and the numbers behind it."""
        from semeqv.tying.xor.markdown import to_json, to_markdown

        return to_markdown(experiments, self.window), to_json(experiments, self.window)
