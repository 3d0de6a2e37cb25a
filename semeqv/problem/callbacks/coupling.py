"""Trains two embeddings as one for a while, in models whose structure must not change while they train."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class Coupling:
    """Two matrices that learn as if they were one, as long as it is said so.

    They start with the same values, and before every update each takes the sum of both gradients, the gradient of the
    one matrix that they stand for: elementwise optimizers, such as AdamW, keep them equal. A checkpoint holds both.

    Args:
        model: A tied `PreTrainedModel`; it becomes an untied one of equal values.
    """

    def __init__(self, model: Any):
        from semeqv.text.models.tying import set_tying

        set_tying(model, False)
        self.model = model

    def hold(self, optimizer: torch.optim.Optimizer, still: Callable[[], bool]) -> None:
        """Couple the gradients.

        Args:
            optimizer: What updates the matrices.
            still: Asked before every update: whether they are still one.
        """

        def couple(*_: Any) -> None:
            if still():
                self.add_up()

        optimizer.register_step_pre_hook(couple)

    @torch.no_grad()
    def add_up(self) -> None:
        """Give each matrix the gradient of both."""
        from semeqv.text.models.tying import embedding_weights

        matrices = [matrix for matrix in embedding_weights(self.model) if matrix is not None]
        total = sum(matrix.grad for matrix in matrices if matrix.grad is not None)
        for matrix in matrices:
            matrix.grad = total.clone()


def couples(model: Any) -> bool:
    """Whether a model is tied and, unlike those with a method `decouple`, cannot be untied by a value."""
    from semeqv.text.models.tying import is_tied

    return isinstance(model, nn.Module) and not hasattr(model, "decouple") and is_tied(model)
