"""What callbacks that show a run in another program have in common."""

import functools
from dataclasses import dataclass
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.train.callbacks.callback import Callback

PLACE = ("epoch", "step", "split", "name")


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """What the components of such callbacks have in common.

    Args:
        stc: Steps between two records of a single training step (`step/loss`, ...); 0 for none.
    """

    stc: int = 0

    def __post_init__(self) -> None:
        if self.stc < 0:
            raise ValueError(f"--stc must be 0 (never) or more, not {self.stc}.")


class Tracker(Callback):
    """Records elsewhere what goes into metrics.jsonl, of every split, as it is written, and the learning rate.

    Values are named `split/metric`, or `split/name/metric` where the data set has a name; those of a single training
    step `step/metric`.

    Args:
        steps: Steps from one record of a training step to the next; 0 for none.
    """

    def __init__(self, steps: int):
        super().__init__("train", steps)
        self.runs: list[Any] = []

    def on_start(self, trainer: Any) -> None:
        """Watch the metrics of every run.

        Args:
            trainer: The Trainer.

        Raises:
            UserError: When its runs have no folder.
        """
        if not trainer.runs:
            raise UserError(f"{type(self).__name__} needs a folder: Trainer.set_output, or --output.")
        if not self.runs:  # else a test has started it before the training
            for r, run in enumerate(trainer.runs):
                run.metrics.watchers.append(functools.partial(self.see, trainer, r))
        self.runs = trainer.runs if trainer.world.first else []

    def see(self, trainer: Any, replica: int, line: dict[str, Any]) -> None:
        """Record a line of metrics.jsonl."""
        where = "/".join(filter(None, (line["split"], line["name"])))
        values = {f"{where}/{name}": value for name, value in line.items() if name not in PLACE}
        self.record(replica, line["step"], values | (rates(trainer) if line["split"] == "train" else {}))

    def on_step(self, trainer: Any, metrics: Any) -> None:
        """Record a training step."""
        for r in range(len(self.runs)):
            values = {f"step/{name}": float(value[r]) for name, value in metrics.items()}
            self.record(r, trainer.step, values | rates(trainer))

    def record(self, replica: int, step: int, values: dict[str, float]) -> None:
        """Record values of a run at a step."""
        raise NotImplementedError


def rates(trainer: Any) -> dict[str, float]:
    """The learning rate, of each parameter group where there are several."""
    found = trainer.made.rates()
    found = found[:1] if len(set(found)) == 1 else found  # groups that differ in weight decay alone
    return {"learning_rate" if len(found) == 1 else f"learning_rate/{i}": rate for i, rate in enumerate(found)}


def missing(package: str) -> str:
    """What to say when a package is not installed."""
    return f"`cli callbacks {package}` needs {package}: pip install -e '.[tracking]'"
