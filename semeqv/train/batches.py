"""What batches are, and where they come from."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from torch import Tensor

Batch = Mapping[str, Tensor]


class Dataset(Protocol):
    """What the Trainer asks of a data set; validation and test sets need only `batches`.

    A set that is judged as a whole also has `scorer()` (see `semeqv.train.scoring`).
    """

    def __len__(self) -> int:
        """Batches in an epoch."""

    def stream(self, seed: int, start: int = 0) -> Iterator[Batch]:
        """Training batches without end, from a global step on: a pure function of seed, epoch and position."""

    def batches(self) -> Iterator[Batch]:
        """One pass, always the same."""


def targets(batch: Batch, shifted: bool = False) -> int:
    """How many predictions a batch asks for.

    Args:
        batch: May have `labels`, (...) or (..., time).
        shifted: Whether a label is predicted one position before it, and that at time 0 not at all.

    Returns:
        Its labels that are not -100; without labels, its rows.
    """
    if "labels" in batch:
        labels = batch["labels"][..., 1:] if shifted else batch["labels"]
        return int((labels != -100).sum())
    return len(next(iter(batch.values())))
