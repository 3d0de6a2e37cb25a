"""What the runs of the XOR study show: tables, verdicts, a Markdown report."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.results.tables import Table
from semeqv.runs.json_lines import finite
from semeqv.tying.verdicts import Finding, StudyReport, harmless, overall
from semeqv.tying.xor.experiments import Experiment, read_experiment
from semeqv.tying.xor.findings import (
    APART_OUTPUT,
    APART_TIED,
    CLOSE,
    CLOSE_INPUT,
    acceptance,
    accuracies,
    cost_of_tying,
    distances,
)
from semeqv.tying.xor.statistics import NEAR_BAYES, NEAR_PLATEAU, learned_threshold


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
        return read_experiment(folder, self.window)

    def tables(self, experiment: Experiment) -> list[Table]:
        """The distances of each pair, and the accuracies."""
        return [distance_table(experiment), accuracy_table(experiment, each=False)]

    def findings(self, experiment: Experiment) -> list[Finding]:
        """What the theory says of the distances."""
        return acceptance(experiment)

    def page(self, experiments: Sequence[Experiment]) -> tuple[str, dict[str, Any]]:
        """The Markdown of all of them, and the numbers behind it."""
        return to_markdown(experiments, self.window), to_json(experiments, self.window)


PREAMBLE = f"""\
# The tied-embedding study on XOR: theory and measurement

Theory (Bertolotti & Cazzola, ICML 2024): symbols with the same meaning get close *input* embeddings, symbols in the
same contexts get close *output* embeddings. Tying the two forces both at once, so it is harmless only where symbols of
one meaning also share their contexts, that is, where the distributional hypothesis (DH) holds.

Close means a median Euclidean distance below {CLOSE_INPUT:g} for input embeddings and below {CLOSE:g} for output
and tied ones; apart means above {APART_OUTPUT:g} for output and above {APART_TIED:g} for tied embeddings. These limits
were set on the small transformer. As a control stands the distance of the two symbols of *different* meaning that are
nearest to each other.

A statement holds, or does not, when the median, the mean and the whole 95% interval of the mean over runs (Student's t)
lie on one side of its limit; that two symbols are close, only when they are nearer than the control in every run. Else
it is not decided: a point estimate over a few runs decides nothing. Runs in which embeddings that are to be close are
still nearing each other, or which have not taken all their steps, are no evidence.

A run has learned the task when its accuracy reaches {NEAR_BAYES:.0%} of the best possible (Bayes) accuracy, to two
digits. It is at the plateau when its accuracy is at most {NEAR_PLATEAU:g} above that of always writing the most
frequent symbol: it has learned nothing of the context, and its distances say little about meaning. Final accuracies are
means over the last {{window}} records of a run. Whether a run learns depends on its seed, and on which strings it is
trained on, so look at the single runs too.
"""


def findings(experiment: Experiment) -> list[Finding]:
    """Return everything that the theory says of an experiment, with its outcome."""
    cost = cost_of_tying(experiment)
    return [*acceptance(experiment), *([cost] if cost else [])]


def to_markdown(experiments: Sequence[Experiment], window: int) -> str:
    """Write the report.

    Args:
        experiments: What was run.
        window: Over how many last records accuracies were taken.

    Returns:
        The text of the file.
    """
    all_findings = [finding for experiment in experiments for finding in findings(experiment)]
    parts = [PREAMBLE.format(window=window), overall(all_findings)]
    parts += [section(experiment) for experiment in experiments]
    return "\n".join(parts)


def section(experiment: Experiment) -> str:
    """Write the part of one experiment."""
    lines = [f"## {harmless(experiment.name)}", "", *what_was_run(experiment), ""]
    lines += [
        "Distance of each pair at the last record, over runs; its median at the first; the median of the control:",
        "",
        distance_table(experiment).markdown(),
    ]
    if accuracies(experiment):
        lines += ["Final accuracy:", "", accuracy_table(experiment).markdown()]
    lines += ["What theory says, and what was measured:", ""]
    found = findings(experiment)
    outcomes = (True, False, "undecided", None)
    lines += [finding.bullet() for outcome in outcomes for finding in found if finding.outcome == outcome]
    return "\n".join([*lines, ""])


def distance_table(experiment: Experiment) -> Table:
    """The distance of each pair at the last record, over runs."""
    heading = ["embeddings", "pair", "DH", "runs", "median", "mean", "min-max", "first median", "control"]
    rows = [distance_cells(experiment, row) for row in distances(experiment)]
    title = f"Distance at the last record (training strings: {experiment.strings or 'not recorded'})"
    return Table(title, heading, rows, words=3)


def accuracy_table(experiment: Experiment, each: bool = True) -> Table:
    """The final accuracy of each kind of runs on each split.

    Args:
        experiment: Its runs.
        each: Whether those of single runs have a column, the last one.

    Returns:
        The table.
    """
    bayes = "not recorded" if experiment.bayes is None else f"{experiment.bayes:.3f}"
    reach = "" if experiment.bayes is None else f" {learned_threshold(experiment.bayes):g}"
    low = "" if experiment.plateau is None else f" {experiment.plateau:g}"
    heading = ["embeddings", "split", "median", "mean", "min-max", f"reach{reach}", f"plateau{low}", "each seed"]
    shown = len(heading) if each else -1
    rows = [accuracy_cells(row)[:shown] for row in accuracies(experiment)]
    return Table(f"Final accuracy (best possible, Bayes: {bayes})", heading[:shown], rows, words=2)


def what_was_run(experiment: Experiment) -> list[str]:
    """Say what the runs were, and what a reader should beware of."""
    lines = []
    for tied in (False, True):
        runs = experiment.where(tied=tied)
        seeds = ", ".join(str(seed) for seed in sorted(run.seed for run in runs))
        lines.append(
            f"- {'Tied' if tied else 'Untied'}: {count(len(runs), 'run')}" + (f", seeds {seeds}" if runs else "")
        )
    steps = sorted({run.steps for run in experiment.runs})
    rate = harmless(", ".join(experiment.settings("learning_rate"))) or "not recorded"
    lines.append(
        f"- Steps: {' to '.join(f'{step:,}' for step in (steps[0], steps[-1])[: len(steps)])}; learning rate {rate}"
    )
    bayes = "not recorded" if experiment.bayes is None else f"{experiment.bayes:.2f}"
    lines.append(f"- Training strings: {harmless(experiment.strings or 'not recorded')}")
    lines.append(f"- Best possible (Bayes) accuracy: {bayes}")
    if len(steps) > 1:
        lines.append("- Beware: the runs are of different length, so that last records are not of one age.")
    if min(len(experiment.where(tied=tied)) for tied in (False, True)) < 5:
        lines.append("- Beware: fewer than five runs of a kind; accuracy depends much on the seed.")
    if 2 * sum(run.falling for run in experiment.runs) > len(experiment.runs):
        lines.append("- Beware: embeddings that are to be close were still nearing at the end of most runs.")
    if unfinished := sum(not run.finished for run in experiment.runs):
        lines.append(f"- Beware: {count(unfinished, 'run')} of {len(experiment.runs)} have not taken all their steps.")
    return lines + schedule_note(experiment, steps[-1])


def schedule_note(experiment: Experiment, steps: int) -> list[str]:
    """Say where in its period a cosine schedule ended, as distances depend on the last learning rate."""
    periods = experiment.settings("tmax")
    if len(periods) != 1 or not re.fullmatch("[1-9][0-9]{0,17}", periods[0]) or steps < 1:
        return []
    period = int(periods[0])
    height = (1 + math.cos(math.pi * steps / period)) / 2
    where = "at its lowest" if height < 0.01 else "at its highest" if height > 0.99 else f"at {height:.0%} of its range"
    return [f"- The cosine schedule goes down and up again in {2 * period:,} steps; at the end the rate was {where}."]


def distance_cells(experiment: Experiment, row: Any) -> list[str]:
    """Return the cells of one distance."""
    holds = {True: "holds", False: "fails", None: "unknown"}[experiment.contexts[row.pair]]
    numbers = row.summary
    kind = which(row.tied, row.embedding)
    control = "unknown" if math.isnan(row.control) else f"{row.control:.2f}"
    return [kind, str(row.pair), holds, runs_of(numbers), *spread_of(numbers), f"{row.first:.2f}", control]


def accuracy_cells(row: Any) -> list[str]:
    """Return the cells of one accuracy."""
    reaching = "Bayes unknown" if row.reaching is None else f"{row.reaching} of {row.summary.runs}"
    idle = "unknown" if row.idle is None else f"{row.idle} of {row.summary.runs}"
    seeds = ", ".join(f"{seed}: {value:.3f}" for seed, value in sorted(row.by_seed.items()))
    return ["tied" if row.tied else "untied", row.split, *spread_of(row.summary), reaching, idle, seeds]


def which(tied: bool, embedding: str) -> str:
    """Name a kind of embedding."""
    if embedding == "shared":
        return "tied"
    return f"{'tied' if tied else 'untied'} {embedding}"


def spread_of(summary: Any) -> list[str]:
    """Return median, mean and range as text."""
    return [f"{summary.median:.3f}", f"{summary.mean:.3f}", f"{summary.least:.3f}-{summary.greatest:.3f}"]


def runs_of(summary: Any) -> str:
    """Return how many runs there are, and how many of them diverged."""
    return f"{summary.runs} ({summary.diverged} diverged)" if summary.diverged else str(summary.runs)


def count(number: int, word: str) -> str:
    """Write a number and what it counts."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def to_json(experiments: Sequence[Experiment], window: int) -> dict[str, Any]:
    """Return the numbers behind the report; what is no number is null."""
    numbers: dict[str, Any] = finite(
        {
            "window": window,
            "experiments": [
                {
                    "name": experiment.name,
                    "runs": [run.name for run in experiment.runs],
                    "steps": sorted({run.steps for run in experiment.runs}),
                    "training_strings": experiment.strings,
                    "learning_rate": experiment.settings("learning_rate"),
                    "bayes_accuracy": experiment.bayes,
                    "plateau": experiment.plateau,
                    "learned_at": None if experiment.bayes is None else learned_threshold(experiment.bayes),
                    "pairs": [{"pair": pair, "same_contexts": same} for pair, same in experiment.contexts.items()],
                    "distances": [dataclasses.asdict(row) for row in distances(experiment)],
                    "accuracies": [dataclasses.asdict(row) for row in accuracies(experiment)],
                    "findings": [dataclasses.asdict(finding) for finding in findings(experiment)],
                }
                for experiment in experiments
            ],
        }
    )
    return numbers
