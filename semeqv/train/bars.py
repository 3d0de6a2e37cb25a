"""Signs of life: progress bars on a terminal, a line about twice a minute elsewhere."""

import contextlib
from typing import Any

from tqdm import tqdm

from semeqv.runs.progress import SECONDS_BETWEEN_LINES, Progress
from semeqv.train.state import TrainState

SECONDS_BETWEEN_LOSSES = 0.5  # reading the loss waits for the device


class RunBar(Progress):
    """The progress of a run in steps, with its loss.

    Args:
        trainer: The Trainer that takes the steps.
    """

    def __init__(self, trainer: TrainState):
        self.trainer = trainer
        self.shown_at = float("-inf")
        super().__init__(
            total=trainer.last_step,
            initial=trainer.step,
            unit="step",
            desc="train",
            disable=not trainer.bars["epoch"],
            smoothing=0.05,
            mininterval=0.5,
            dynamic_ncols=True,
        )

    def take(self, loss: Any) -> None:
        """Take in a step.

        Args:
            loss: `(replica,)`: the loss of the step; it is read, which waits for the device, when it is shown.
        """
        if self.disable:
            return
        now = self._time()
        pause = SECONDS_BETWEEN_LINES if self.as_lines else SECONDS_BETWEEN_LOSSES
        if now - self.shown_at >= pause:
            self.shown_at = now
            rate = self.trainer.made.rates()[0]
            self.set_postfix_str(f"loss {float(loss.mean()):.4f}, learning rate {rate:.2e}", refresh=False)
        self.update()


def epoch_bar(trainer: TrainState) -> Any:
    """A bar for the batches of an epoch, on a terminal and when there are enough of them."""
    if not trainer.bars["train"] or trainer.epoch_steps < 50 or trainer.epoch_steps == trainer.last_step:
        return contextlib.nullcontext()
    return tqdm(
        total=trainer.epoch_steps,
        initial=trainer.step % trainer.epoch_steps,
        unit="batch",
        desc="epoch",
        disable=None,
        leave=False,
        mininterval=0.5,
        dynamic_ncols=True,
    )


def shown_pass(trainer: TrainState, split: str, dataset: Any) -> Any:
    """The batches of a pass over a data set, with a bar when there are enough of them."""
    shown = trainer.bars["valid" if split == "validation" else "test"] and len(dataset) > 20
    return Progress(dataset.batches(), desc=split, total=len(dataset), unit="batch", leave=False, disable=not shown)
