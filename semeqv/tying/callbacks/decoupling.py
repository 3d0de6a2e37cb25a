"""Unties the embeddings of a model while it trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from semeqv.lazy import no_grad, numpy
from semeqv.runs.errors import UserError
from semeqv.text.models.embeddings import embedding_weights, is_tied, set_tying
from semeqv.tying.callbacks.embeddings import Recorder


class Decoupler(Recorder):
    """Records as a `Recorder` does, and unties the embeddings after some epochs.

    A model with a method `decouple` is told to. A tied model of transformers is untied before it learns, since neither
    its parameters nor those of its optimizer may change later: two matrices of equal values, each of which takes the
    sum of both gradients before every update, until it is time. That is how the one matrix would learn, elementwise
    optimizers being given; only clipping, which comes before, sees two gradients.

    Args:
        options: How often, and where to log metrics.
        files: For `input` and `output`: the path, or None, and the default name.
        view: From an embedding matrix, (symbols, size), to what is recorded.
        untie_after: Untie the embeddings after so many epochs.
        model: The model that will learn.
    """

    def __init__(
        self,
        options: Any,
        files: Mapping[str, tuple[Path | None, str]],
        view: Callable[[numpy.ndarray], numpy.ndarray],
        untie_after: int,
        model: Any = None,
    ):
        super().__init__(options, files, view)
        self.untie_after, self.epochs = untie_after, 1
        self.coupled = model if hasattr(model, "get_output_embeddings") and not hasattr(model, "decouple") else None
        if self.coupled is not None and is_tied(self.coupled):
            set_tying(self.coupled, False)
        else:
            self.coupled = None

    def on_start(self, trainer: Any) -> None:
        """Open the files of every run; let coupled matrices learn as one."""
        super().on_start(trainer)
        for optimizer in trainer.made.optimizers if self.coupled is not None else []:
            optimizer.register_step_pre_hook(lambda *_: self.couple(trainer.epoch))

    @no_grad
    def couple(self, epoch: int) -> None:
        """Give each of two coupled matrices the gradients of both, unless this epoch is one of learning apart."""
        if epoch >= self.untie_after:
            return
        matrices = [matrix for matrix in embedding_weights(self.coupled) if matrix is not None]
        gradients = [matrix.grad for matrix in matrices if matrix.grad is not None]
        for matrix in matrices:
            matrix.grad = sum(gradients[1:], gradients[0]).clone()

    def on_epoch(self, trainer: Any, metrics: Any, name: str | None) -> None:
        """Untie when it is time; log and record as a `Recorder` does."""
        if trainer.epoch == self.untie_after and self.coupled is None:
            trainer.made.edit(untie)
        super().on_epoch(trainer, metrics, name)

    def definition(self) -> dict[str, Any]:
        """When it unties the embeddings."""
        return {"untied after epochs": self.untie_after}


def untie(model: Any) -> None:
    """Untie the embeddings of a model.

    Args:
        model: Has a method `decouple`, unless it is untied already.

    Raises:
        UserError: When it is tied and has none.
    """
    if hasattr(model, "decouple"):
        model.decouple()
    elif not hasattr(model, "get_output_embeddings") or is_tied(model):
        raise UserError(f"{type(model).__name__} cannot untie its embeddings.")
