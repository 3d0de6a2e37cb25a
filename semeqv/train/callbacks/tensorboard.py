"""Shows runs in TensorBoard."""

from dataclasses import dataclass
from typing import Any

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.train.callbacks.trackers import Tracked, Tracker, missing


@component("callbacks tensorboard")
@dataclass(frozen=True, kw_only=True)
class Tensorboard(Tracked):
    """Write the metrics of every split, and the learning rate, for TensorBoard: `tensorboard --logdir runs`.

    They go into `tensorboard/` in the run's folder: `train/loss`, `validation/accuracy`, `validation/NAME/accuracy`,
    `learning_rate`, ... Needs `pip install -e '.[tracking]'`.
    """

    def build(self) -> Any:
        """The callback.

        Returns:
            A `TensorboardTracker`.

        Raises:
            UserError: When TensorBoard is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError(missing("tensorboard")) from error
        return TensorboardTracker(self.stc, SummaryWriter)


class TensorboardTracker(Tracker):
    """Writes the metrics of every run for TensorBoard.

    Args:
        steps: Steps from one record of a training step to the next; 0 for none.
        writer: `SummaryWriter`.
    """

    def __init__(self, steps: int, writer: Any):
        super().__init__(steps)
        self.writer = writer
        self.writers: dict[int, Any] = {}
        self.purge_step: int | None = None

    def on_begin(self, trainer: Any) -> None:
        """Remove what a run that this one replaces has left."""
        for run in self.runs:
            for path in (run.path / "tensorboard").glob("events.out.tfevents.*"):
                path.unlink()

    def see(self, trainer: Any, replica: int, line: dict[str, Any]) -> None:
        """Record a line of metrics.jsonl, to be seen at once."""
        super().see(trainer, replica, line)
        self.writers[replica].flush()

    def record(self, replica: int, step: int, values: dict[str, float]) -> None:
        """Write values of a run at a step."""
        if replica not in self.writers:
            path = self.runs[replica].path / "tensorboard"
            self.writers[replica] = self.writer(path, purge_step=self.purge_step)
        for name, value in values.items():
            self.writers[replica].add_scalar(name, value, step)

    def on_end(self, trainer: Any) -> None:
        """Close the files; a test opens others."""
        for writer in self.writers.values():
            writer.close()
        self.writers, self.purge_step = {}, None

    def state(self) -> dict[str, Any]:
        """Something, for `restore` to be called."""
        return {"purge": True}

    def restore(self, trainer: Any, state: dict[str, Any]) -> None:
        """Let TensorBoard forget what an interrupted run wrote after the step that is resumed."""
        self.purge_step = trainer.step + 1
