"""Callbacks that write what was measured."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import click

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.train.callbacks.callback import Callback

SPLITS = {"train": "train", "valid": "validation", "test": "test"}
# The words that the study's original code had in the place of --split.
RETIRED = {f"{word}callback": f"Write --split {split}." for word, split in SPLITS.items()}


@component("callbacks default")
@dataclass(frozen=True, kw_only=True)
class Default:
    """Observe nothing: what every run writes into metrics.jsonl is enough.

    Args:
        split: Which part of the run it belongs to.
    """

    retired: ClassVar[dict[str, str]] = RETIRED

    split: Literal["train", "validation", "test"] = "train"

    def build(self) -> Any:
        """The callback."""
        return Callback(self.split)


@dataclass(frozen=True, kw_only=True)
class Logged:
    """What callbacks that log have in common.

    Args:
        split: The split to observe.
        step_log_path: File of one JSON line a training step, or a batch of the validation or test set.
        epoch_log_path: File of one JSON line an epoch, or a pass over the validation or test set.
        etc: Epochs between two records; 0 for none.
        stc: Steps between two records; 0 for none.
    """

    retired: ClassVar[dict[str, str]] = RETIRED

    split: Literal["train", "validation", "test"] = "train"
    step_log_path: Path | None = None
    epoch_log_path: Path | None = None
    etc: int = 1
    stc: int = 0

    def __post_init__(self) -> None:
        for name in ("etc", "stc"):
            if getattr(self, name) < 0:
                raise ValueError(f"--{name} must be 0 (never) or more, not {getattr(self, name)}.")
        if self.split != "train" and self.stc:
            raise ValueError(f"--stc counts training steps; the {self.split} split has none.")


@component("callbacks log")
@dataclass(frozen=True, kw_only=True)
class Log(Logged):
    """Write the loss and the other metrics as JSON lines; without a path, print them.

    With several seeds a path must tell the runs apart: `{run}` in it stands for the run's folder.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stc and self.epoch_log_path and not self.step_log_path:
            raise ValueError("--stc says how often a step is written; say where to by --step_log_path.")

    def build(self) -> Any:
        """The callback."""
        return Logger(self)


def run_path(path: Path | None, run: Any, several: bool) -> Path | None:
    """A path with the run's folder in the place of `{run}`.

    Args:
        path: What the user wrote; None when nothing.
        run: The RunFolder.
        several: Whether there are other runs beside it.

    Returns:
        The path for this run; None for None.

    Raises:
        UserError: When several runs would write one file.
    """
    if path is None:
        return None
    if several and "{run}" not in str(path):
        raise UserError(f"Every run would write {path}. Write {{run}}/{path.name} (the run's folder), or leave it out.")
    return Path(str(path).replace("{run}", str(run.path)))


class Logger(Callback):
    """Writes metrics as JSON lines, or prints them.

    Args:
        options: What to write, how often, and where.
    """

    def __init__(self, options: Logged):
        steps = options.stc or (1 if options.step_log_path else 0)
        super().__init__(options.split, steps, options.etc, batches=options.step_log_path is not None)
        self.options = options
        self.printing = not (options.step_log_path or options.epoch_log_path)
        self.step_logs: list[Any] = []
        self.epoch_logs: list[Any] = []

    def on_start(self, trainer: Any) -> None:
        """Open the files of every run."""
        several = len(trainer.runs) > 1
        for run in trainer.runs:
            if path := run_path(self.options.step_log_path, run, several):
                self.step_logs.append(run.lines(path, ""))
            if path := run_path(self.options.epoch_log_path, run, several):
                self.epoch_logs.append(run.lines(path, ""))

    def on_step(self, trainer: Any, metrics: Any) -> None:
        """Write a line for every run, of the step."""
        self.write(trainer, self.step_logs, metrics, None)

    def on_batch(self, trainer: Any, metrics: Any, name: str | None, number: int) -> None:
        """Write a line for every run, of a batch of a pass."""
        self.write(trainer, self.step_logs, metrics, name, batch=number)

    def on_epoch(self, trainer: Any, metrics: Any, name: str | None) -> None:
        """Write a line for every run, of the epoch or the pass."""
        self.write(trainer, self.epoch_logs, metrics, name)

    def write(self, trainer: Any, logs: list[Any], metrics: Any, name: str | None, **place: int) -> None:
        """Write the metrics of every run to its log; where there is no path, print their means over runs.

        Args:
            trainer: Says which epoch and step it is.
            logs: One per run, or none.
            metrics: Name to an array over replicas.
            name: The name of the data set, if it has one.
            **place: What else says where in the run this was, for the line.
        """
        where = {"epoch": trainer.epoch, "step": trainer.step, "split": self.split, "name": name, **place}
        for r, log in enumerate(logs):
            log.append(where | {key: float(value[r]) for key, value in metrics.items()})
        if self.printing:
            values = "  ".join(f"{key} {value.mean():.4f}" for key, value in metrics.items())
            split = f"{self.split} {name}" if name else self.split
            click.echo(f"epoch {trainer.epoch}  step {trainer.step}  {split}  {values}", err=True)
