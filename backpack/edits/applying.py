"""Edits, applied to a model and taken back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from backpack.edits.steps import Step


class Applied:
    """Edits that a model has.

    They are functions beside its weights, in the order in which they were applied: each is computed on what the ones
    before it leave, and reverting takes them away, so that the model is again what it was, bit for bit.

    Args:
        model: A Backpack with its head; the edits are added to those that it has.
        steps: The edits.
    """

    def __init__(self, model: Any, steps: Sequence[Step]):
        self.inner = model.backpack
        self.before = list(self.inner.sense_edits), list(self.inner.weight_edits)
        for step in steps:
            senses, weights = step.of_senses(model), step.of_weights(model)
            self.inner.sense_edits += [senses] if senses else []
            self.inner.weight_edits += [weights] if weights else []

    def revert(self) -> None:
        """Let the model have the edits that it had before, so that later ones go, too."""
        self.inner.sense_edits[:], self.inner.weight_edits[:] = self.before


@contextmanager
def applied(model: Any, steps: Sequence[Step]) -> Iterator[None]:
    """Apply edits for a while.

    Args:
        model: A Backpack with its head.
        steps: The edits.

    Yields:
        Nothing.
    """
    edits = Applied(model, steps)
    try:
        yield
    finally:
        edits.revert()
