"""Attachment scores while a parser trains."""

import time
from dataclasses import dataclass
from typing import Any

import click

from semeqv.grammar.component import check_bounds, component
from semeqv.runs.errors import UserError
from semeqv.train.callbacks.callback import Callback


@component("callbacks attachment")
@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Measure LAS, UAS and UPOS on the validation treebanks every so many steps, as a learning curve.

    Lines go to metrics.jsonl, with the CPU seconds of the run so far, those of these measurements not among them.

    Args:
        steps: Steps from one measurement to the next.
    """

    steps: int = 200

    def __post_init__(self) -> None:
        check_bounds(self, steps=1)

    def build(self) -> Any:
        """Build the callback."""
        return AttachmentLogger(self.steps)


class AttachmentLogger(Callback):
    """Adds lines with the scores of the validation treebanks to metrics.jsonl of every run.

    Args:
        steps: Steps from one measurement to the next.
    """

    def __init__(self, steps: int):
        super().__init__("train", steps=steps)
        self.spent, self.since = 0.0, time.process_time()

    def on_start(self, trainer: Any) -> None:
        """Start the clock.

        Args:
            trainer: The Trainer.

        Raises:
            UserError: When there is no validation treebank.
        """
        if not any(hasattr(each, "trees") for each in trainer.validsplits.values()):
            raise UserError("`cli callbacks attachment` needs a treebank with --split validation.")
        self.since = time.process_time()

    def on_step(self, trainer: Any, metrics: Any) -> None:
        """Measure, write and print.

        Args:
            trainer: The Trainer.
            metrics: Not used.
        """
        self.spent += time.process_time() - self.since
        for name, data in trainer.validsplits.items():
            if not hasattr(data, "trees"):
                continue
            means = trainer.measure("validation", data).metrics
            where = {"epoch": trainer.epoch, "step": trainer.step, "split": "validation", "name": name}
            for replica, run in enumerate(trainer.runs):
                values = {key: float(value[replica]) for key, value in means.items()}
                run.metrics.append(where | values | {"cpu_seconds": round(self.spent, 2)})
            scores = "  ".join(f"{key} {means[key].mean():.4f}" for key in ("las", "uas", "upos") if key in means)
            place = f"validation {name}" if name else "validation"
            click.echo(f"step {trainer.step}  {self.spent:.0f} CPU s  {place}  {scores}", err=True)
        self.since = time.process_time()

    def state(self) -> dict[str, Any]:
        """Return the seconds so far."""
        return {"cpu_seconds": self.spent + time.process_time() - self.since}

    def restore(self, trainer: Any, state: dict[str, Any]) -> None:
        """Go on counting from a checkpoint."""
        self.spent, self.since = state["cpu_seconds"], time.process_time()
