"""Writes metrics as JSON lines."""

from typing import Any

import click

from semeqv.train.callbacks.callback import Callback
from semeqv.train.callbacks.log import Logged, run_path


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
