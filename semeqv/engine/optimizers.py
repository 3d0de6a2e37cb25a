"""How parameters move."""

from dataclasses import dataclass
from typing import Any

from semeqv.engine.component import component


@dataclass(frozen=True, kw_only=True)
class Adaptive:
    """What the optimizers with running moments have in common.

    Args:
        learning_rate: Step size.
        betas: Decay of the running mean and of the running variance.
        eps: Added to the root of the variance.
        weight_decay: Strength of the pull towards zero, on every parameter.
    """

    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if not self.learning_rate >= 0:
            raise ValueError(f"--learning_rate must be 0 or more, not {self.learning_rate}.")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"--betas must be from 0 to below 1, not {self.betas[0]} {self.betas[1]}.")
        if not self.eps >= 0:
            raise ValueError(f"--eps must be 0 or more, not {self.eps}.")
        if not self.weight_decay >= 0:
            raise ValueError(f"--weight_decay must be 0 or more, not {self.weight_decay}.")

    def make(self, kind: Any, model: Any) -> Any:
        """The optimizer of a kind; fused, which on a CPU takes a third of the time."""
        return kind(
            model.parameters(),
            lr=self.learning_rate,
            betas=self.betas,
            eps=self.eps,
            weight_decay=self.weight_decay,
            fused=True,
        )


@component("optimizers adam")
@dataclass(frozen=True, kw_only=True)
class Adam(Adaptive):
    """Adam (Kingma & Ba, 2015, arXiv 1412.6980); weight decay is added to the gradient."""

    def build(self, model: Any) -> Any:
        """The optimizer of a model."""
        import torch

        return self.make(torch.optim.Adam, model)


@component("optimizers adamw")
@dataclass(frozen=True, kw_only=True)
class AdamW(Adaptive):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019, arXiv 1711.05101)."""

    weight_decay: float = 0.01

    def build(self, model: Any) -> Any:
        """The optimizer of a model."""
        import torch

        return self.make(torch.optim.AdamW, model)
