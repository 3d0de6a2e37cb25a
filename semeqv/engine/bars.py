"""The progress bars of a Trainer; none is shown where stderr is no terminal."""

import contextlib
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from semeqv.engine.trainer import Trainer


def run_bar(trainer: "Trainer") -> Any:
    """A bar for the steps of a run."""
    return tqdm(
        total=trainer.last_step,
        initial=trainer.step,
        unit="step",
        desc="train",
        disable=None if trainer.bars["epoch"] else True,
        smoothing=0.05,
        mininterval=0.5,
        dynamic_ncols=True,
    )


def epoch_bar(trainer: "Trainer") -> Any:
    """A bar for the batches of an epoch, when there are enough of them."""
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


def shown_pass(trainer: "Trainer", split: str, dataset: Any) -> Any:
    """The batches of a pass over a data set, with a bar when there are enough of them."""
    shown = trainer.bars["valid" if split == "validation" else "test"] and len(dataset) > 20
    return tqdm(dataset.batches(), desc=split, total=len(dataset), leave=False, disable=None if shown else True)
