"""A callback that ends training when it no longer helps."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component
from semeqv.runs.errors import UserError
from semeqv.train.callbacks.callback import Callback


@component("callbacks early-stopping")
@dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """End training when a metric of the validation set has not improved for a while (Prechelt, 1998).

    A stopped run that is resumed goes on when --patience has become longer. Several seeds run one after the other. To
    keep the best weights, add `cli savers default-saver --savebest`.

    Args:
        metric: What shall improve: accuracy when --mode is max, loss when it is min, if left out.
        mode: Whether larger or smaller is better.
        patience: Validations in a row without improvement that end the run.
        min_delta: By how much a value must be better than the best one to count as an improvement.
        split: The split to observe.
        name: Name of the validation set to observe, when there are several.
    """

    metric: str | None = None
    mode: Literal["max", "min"] = "max"
    patience: int = 5
    min_delta: float = 0.0
    split: Literal["validation"] = "validation"
    name: str | None = None

    def __post_init__(self) -> None:
        check_bounds(self, patience=1)
        if not self.min_delta >= 0:
            raise ValueError(f"--min_delta must be 0 or more, not {self.min_delta}.")

    def build(self) -> Any:
        """The callback."""
        return EarlyStopper(self)


class EarlyStopper(Callback):
    """Ends training when a metric has not improved for a while.

    Args:
        options: Which metric, and for how long.
    """

    replicable = False

    def __init__(self, options: EarlyStopping):
        super().__init__(options.split, epochs=1)
        self.options = options
        self.metric = options.metric or {"max": "accuracy", "min": "loss"}[options.mode]
        self.best: float | None = None
        self.waited = 0

    def on_start(self, trainer: Any) -> None:
        """Refuse what cannot be observed.

        Args:
            trainer: The Trainer.

        Raises:
            UserError: When there are several replicas, or it is open which validation set is meant.
        """
        if len(trainer.models) > 1:
            raise UserError("Early stopping is for one run: replicas that train as one cannot stop one by one.")
        names = [name or "the one without a name" for name in trainer.validsplits]
        if not names:
            raise UserError("Early stopping needs a validation set. Add one with --split validation.")
        if self.options.name is not None and self.options.name not in trainer.validsplits:
            raise UserError(f"No validation set is named {self.options.name!r}; there is {', '.join(names)}.")
        if self.options.name is None and len(names) > 1:
            raise UserError(f"Early stopping observes one validation set of {', '.join(names)}. Choose it by --name.")

    def on_epoch(self, trainer: Any, metrics: Any, name: str | None) -> None:
        """Count the validations since the last improvement.

        Args:
            trainer: The Trainer.
            metrics: Name to an array over replicas.
            name: The name of the validation set.

        Raises:
            UserError: When the metric is not among them.
        """
        if self.options.name is not None and name != self.options.name:
            return
        if self.metric not in metrics:
            raise UserError(
                f"Early stopping observes {self.metric!r}, which is not measured; there is {', '.join(metrics)}. "
                "Choose one by --metric (and --mode)."
            )
        value, sign = float(metrics[self.metric][0]), 1 if self.options.mode == "max" else -1
        if not math.isnan(value) and (self.best is None or sign * (value - self.best) > self.options.min_delta):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        self.judge(trainer)

    def judge(self, trainer: Any) -> None:
        """Stop when the patience is over."""
        if self.waited >= self.options.patience:
            trainer.stop(f"{self.metric} has not improved in {self.waited} validations")

    def state(self) -> dict[str, Any]:
        """The best value, and the validations since."""
        return {"best": self.best, "waited": self.waited}

    def restore(self, trainer: Any, state: dict[str, Any]) -> None:
        """Go on counting."""
        self.best, self.waited = state["best"], state["waited"]
        self.judge(trainer)
