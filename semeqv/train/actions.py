"""Train and test as actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semeqv.grammar.action import Result, action
from semeqv.results.tables import print_metrics

if TYPE_CHECKING:
    from semeqv.train.metrics import Metrics
    from semeqv.train.trainer import Trainer


@dataclass(frozen=True)
class Measurements(Result):
    """Metrics of runs on data sets, as they are in their metrics.jsonl already.

    Args:
        title: What was measured.
        runs: The folder or the seed of each run.
        sets: By the name of the data set: metrics by name, arrays over runs, `(runs,)`.
    """

    title: str
    runs: list[str]
    sets: Mapping[str | None, Metrics]

    @property
    def metrics(self) -> Metrics:
        """Return the metrics of the only data set, or of the first."""
        return next(iter(self.sets.values()), {})

    def show(self) -> None:
        """Print one line for every run and data set."""
        if any(self.sets.values()):
            print_metrics(self.title, self.runs, self.sets)

    def records(self) -> list[dict[str, Any]]:
        """Return one row for every run and data set."""
        return list(self.by_run())

    def by_run(self) -> Iterator[dict[str, Any]]:
        """Yield the metrics of every run and data set."""
        for r, run in enumerate(self.runs):
            for name, metrics in self.sets.items():
                yield {"run": run, "set": name, **{metric: float(values[r]) for metric, values in metrics.items()}}


@action("train", record=False)
def train(trainer: Trainer) -> Measurements:
    """Train the model.

    Args:
        trainer: Has the model, the data and how to train.

    Returns:
        The last metrics of every run, on the validation sets if there are some, else in training.
    """
    metrics = trainer.train()
    split = "validation" if trainer.validsplits else "train"
    return Measurements(f"{split}, step {trainer.step}", names_of(trainer), {None: metrics})


@action("test", record=False)
def test(trainer: Trainer) -> Measurements:
    """Measure the test sets, with the best weights when they were kept, else with the last.

    A model that was opened by --from is measured as it is, where its run has no checkpoint.

    Args:
        trainer: Has the model and the test sets.

    Returns:
        The metrics of every run and data set.
    """
    return Measurements("test", names_of(trainer), trainer.test())


test.__test__ = False  # type: ignore[attr-defined]  # it is no test of pytest


def names_of(trainer: Trainer) -> list[str]:
    """Return the folder of every run of a Trainer, or its seed when nothing is written."""
    return [str(run.path) for run in trainer.runs] or [f"seed {seed}" for seed in trainer.seeds]
