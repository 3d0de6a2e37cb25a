"""What a callback is."""

from __future__ import annotations

from typing import Any

from semeqv.train.metrics import Metrics
from semeqv.train.state import TrainState


class Callback:
    """An observer of one split of a run. It sees arrays over replicas and writes into each replica's folder.

    Args:
        split: train, validation or test.
        steps: Steps of training from one `on_step` to the next; 0 for never.
        epochs: Epochs of training from one `on_epoch` to the next; 0 for never.
        batches: Whether `on_batch` is called, for every batch of a pass over the validation or test set.

    A callback that ends training (`trainer.stop`) sets `replicable = False`: runs that end at different steps are
    trained one after the other.
    """

    replicable = True

    def __init__(self, split: str = "train", steps: int = 0, epochs: int = 0, batches: bool = False):
        self.split, self.steps, self.epochs, self.batches = split, steps, epochs, batches

    def on_start(self, trainer: TrainState) -> None:
        """Before anything is computed: open files with `trainer.runs[r].lines(...)` or `.arrays(...)`."""

    def on_begin(self, trainer: TrainState) -> None:
        """Before the first step of a run that starts anew; not when a run is resumed."""

    def on_step(self, trainer: TrainState, metrics: Metrics) -> None:
        """After a training step: each metric an array over replicas."""

    def on_batch(self, trainer: TrainState, metrics: Metrics, name: str | None, number: int) -> None:
        """After a batch of a pass over the validation or test set of a name; the batches of a pass count from 1."""

    def on_epoch(self, trainer: TrainState, metrics: Metrics, name: str | None) -> None:
        """After an epoch of training, or after a pass over the validation or test set of a name."""

    def definition(self) -> dict[str, Any]:
        """What it changes in the result of a run, as JSON: a run is not resumed when that differs."""
        return {}

    def on_end(self, trainer: TrainState) -> None:
        """After the last step."""

    def state(self) -> dict[str, Any]:
        """What a resumed run needs of it, as JSON; it is kept in every checkpoint."""
        return {}

    def restore(self, trainer: TrainState, state: dict[str, Any]) -> None:
        """Take over a state from a checkpoint; called before the first step of a resumed run, unless it is empty."""
