"""What batches are, and where they come from."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Protocol, TypeAlias

from semeqv.lazy import torch

Batch: TypeAlias = "Mapping[str, torch.Tensor]"


class Dataset(Protocol):
    """What the Trainer asks of a data set; validation and test sets need only `batches`.

    A set that is judged as a whole also has `scorer()` (see `semeqv.train.metrics`).
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


AHEAD = 3  # batches


@contextlib.contextmanager
def prefetched(batches: Iterator[Batch], pinned: bool) -> Iterator[Iterator[Batch]]:
    """Let a thread make the next batches, in their order.

    Args:
        batches: Makes them; nothing else may draw from it.
        pinned: Whether they lie in memory that CUDA copies from while the program goes on.

    Yields:
        The batches. What goes wrong in the thread is raised by the `next` that would have returned the batch.
    """
    made: queue.Queue[tuple[Batch | None, BaseException | None]] = queue.Queue(AHEAD)
    ended = threading.Event()

    def hand_over(batch: Batch | None, error: BaseException | None = None) -> None:
        while not ended.is_set():
            with contextlib.suppress(queue.Full):
                made.put((batch, error), timeout=0.1)
                return

    def work() -> None:
        try:
            for batch in batches:
                hand_over({name: each.pin_memory() for name, each in batch.items()} if pinned else batch)
                if ended.is_set():
                    return
            hand_over(None)
        except BaseException as error:  # the thread that waits is to know of any
            hand_over(None, error)

    def taken() -> Iterator[Batch]:
        while True:
            batch, error = made.get()
            if error is not None:
                raise error
            if batch is None:
                return
            yield batch

    thread = threading.Thread(target=work, name="batches", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        ended.set()
        thread.join()
