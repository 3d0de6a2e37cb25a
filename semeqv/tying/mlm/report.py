"""What the runs of the study on text show: a table, verdicts, a Markdown report."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.results.tables import Table
from semeqv.runs.json_lines import finite
from semeqv.tying.mlm.experiments import Experiment, read_experiment
from semeqv.tying.mlm.findings import CLOSE, COST, EMBEDDINGS, LEARNED, Estimate, Row, findings, losses, rows_of
from semeqv.tying.verdicts import Finding, StudyReport, harmless, overall


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
        return read_experiment(folder)

    def tables(self, experiment: Experiment) -> list[Table]:
        """The distances in each embedding."""
        return [distance_table(experiment)]

    def findings(self, experiment: Experiment) -> list[Finding]:
        """What the theory says of it."""
        return findings(experiment)

    def line(self, finding: Finding) -> str:
        """A statement on the screen, after its outcome."""
        return f"{finding.theory}: {super().line(finding)}"

    def page(self, experiments: Sequence[Experiment]) -> tuple[str, dict[str, Any]]:
        """The Markdown of all of them, and the numbers behind it."""
        name = "" if self.output is None else self.output.stem
        return to_markdown(experiments, name), to_json(experiments)


PREAMBLE = f"""\
# The tied-embedding study on text: theory and measurement

Common words get a *double*, a new token, and each occurrence of such a word is swapped for its double with a stated
probability. The two mean the same; at one half they also stand in the same contexts, so that the distributional
hypothesis (DH) holds for them, whatever it does for other words. Theory (Bertolotti & Cazzola, ICML 2024) then expects
the two to come close in the input embedding of a masked-language model, in its output embedding, and in the one that is
both when they are tied; at another probability, in the input embedding alone. They are compared with random pairs of
the same words, which share neither meaning nor contexts, and with words that follow each other in frequency.

Everything starts at random, so that before training a double is as far from its word as any other. What is called
close ends below {CLOSE:g} of the distance of random pairs. A difference of validation loss up to {COST:g} nats does not
count as a cost of tying, nor one below {LEARNED:g} nats as knowledge of contexts. The loss is of all tokens, and DH is
known to hold for words with doubles alone; it also depends on how early a run began to learn from contexts, which
with few seeds can be chance: look at the single runs. Distances are Euclidean; intervals are 95% bootstrap intervals
over runs and words.

The study was designed for larger models (experiments called `-paper`: 3 layers of width 128, first embeddings of
standard deviation 0.3, 15% of the tokens asked for, no positions). The others are cut to what a CPU does in minutes.
They know positions, because without them all hidden tokens of a row look alike to a model, and one of this size learns
next to nothing from context in that time. Where equally frequent doubles do not come close, that rarer ones do not
either says little: compare the ratios of distances between experiments.
"""

SETTINGS = (
    ("corpus", "dataset", ""),
    ("documents at most", "dataset", "documents"),
    ("probability of a swap", "dataset", "swap"),
    ("rows of a batch", "dataset", "batch_size"),
    ("tokens of a row", "dataset", "block_size"),
    ("packed", "dataset", "packing"),
    ("share of tokens asked for", "dataset", "mask_probability"),
    ("vocabulary without doubles", "tokenizer", "vocab_size"),
    ("layers", "model", "layers"),
    ("heads", "model", "heads"),
    ("width", "model", "embedding_size"),
    ("positions", "model", "positions"),
    ("standard deviation of the first embeddings", "model", "initializer_range"),
    ("learning rate", "optimizers", "learning_rate"),
    ("weight decay", "optimizers", "weight_decay"),
)


def to_markdown(experiments: Sequence[Experiment], figures: str) -> str:
    """Write the report.

    Args:
        experiments: What was run.
        figures: The folder of the figures, one for each experiment, as seen from the report; "" for none.

    Returns:
        The text of the file.
    """
    found = [finding for experiment in experiments for finding in findings(experiment)]
    return "\n".join([PREAMBLE, overall(found), *(section(experiment, figures) for experiment in experiments)])


def section(experiment: Experiment, figures: str) -> str:
    """Write the part of one experiment."""
    name = harmless(experiment.name)
    lines = [f"## {name}", ""]
    if figures:
        lines += [f"![{name}]({figures}/{experiment.name}.png)", ""]
    for tied in (False, True):
        seeds = ", ".join(str(run.seed) for run in experiment.where(tied=tied))
        lines.append(f"- {'Tied' if tied else 'Untied'}: {f'seeds {seeds}' if seeds else 'no runs'}")
    steps = " or ".join(f"{count:,}" for count in sorted({run.steps for run in experiment.runs}))
    said = [(label, experiment.setting(word, option)) for label, word, option in SETTINGS]
    settings = [f"{label}: {harmless(value)}" for label, value in said if value not in ("", "0")]
    lines.append(f"- {'; '.join([f'Steps: {steps}', *settings])}")
    words = experiment.words
    lines += [f"- The {len(words)} words, from the most frequent on: *{harmless(' '.join(words))}*", ""]
    lines += [
        "Mean distances, of words and doubles, of random pairs, and of pairs of like frequency; the probability that a",
        "double is closer than the one and than the other; and its mean distance over that of random pairs:",
        "",
    ]
    lines += [distance_table(experiment).markdown()]
    bounds = sorted({f"{run.bound:.3f}" for run in experiment.runs if run.bound is not None})
    known = f" (no model that does not look at context can be below {' or '.join(bounds)})" if bounds else ""
    lines += [f"Validation loss, in nats a masked token{known}:", ""]
    lines += [loss_table(experiment).markdown()]
    lines += ["What theory says, and what was measured:", ""]
    lines += [finding.bullet() for finding in findings(experiment)]
    return "\n".join(lines) + "\n"


def distance_table(experiment: Experiment) -> Table:
    """The distances of words and doubles and of other pairs, in each embedding, at the first and at the last record."""
    heading = ["embedding", "record", "doubles", "random", "like frequency"]
    heading += ["closer than random", "than like frequency", "of random"]
    return Table("Mean distances", heading, [cells(row) for row in rows_of(experiment)], words=2)


def cells(row: Row) -> list[str]:
    """Return the cells of one embedding at one record."""
    distances = [f"{row.distances[kind]:.3f}" for kind in ("doubles", "random", "neighbours")]
    estimates = [row.closer["random"], row.closer["neighbours"], row.ratio["random"]]
    return [EMBEDDINGS[row.embedding], "first" if row.first else "last", *distances, *map(interval, estimates)]


def interval(estimate: Estimate) -> str:
    """Write a number and its interval."""
    return f"{estimate.value:.3f} [{estimate.low:.3f}-{estimate.high:.3f}]"


def loss_table(experiment: Experiment) -> Table:
    """The last validation losses, untied and tied."""
    rows = [
        [
            "tied" if tied else "untied",
            f"{sum(by_seed.values()) / len(by_seed):.3f}",
            ", ".join(f"{seed}: {loss:.3f}" for seed, loss in sorted(by_seed.items())),
        ]
        for tied, by_seed in losses(experiment).items()
        if by_seed
    ]
    return Table("Validation loss", ["embeddings", "mean", "each seed"], rows)


def to_json(experiments: Sequence[Experiment]) -> dict[str, Any]:
    """Return the numbers behind the report; what is no number is null."""
    found: dict[str, Any] = finite(
        {
            "experiments": [
                {
                    "name": experiment.name,
                    "runs": [run.followed.name for run in experiment.runs],
                    "steps": sorted({run.steps for run in experiment.runs}),
                    "settings": {label: experiment.setting(word, option) for label, word, option in SETTINGS},
                    "words": experiment.words,
                    "rows": [dataclasses.asdict(row) for row in rows_of(experiment)],
                    "loss without context": sorted({run.bound for run in experiment.runs if run.bound is not None}),
                    "losses": {"tied" if tied else "untied": each for tied, each in losses(experiment).items()},
                    "findings": [dataclasses.asdict(finding) for finding in findings(experiment)],
                }
                for experiment in experiments
            ]
        }
    )
    return found
