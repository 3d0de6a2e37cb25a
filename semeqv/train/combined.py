"""Several optimizers as one."""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer


class Combined(Optimizer):
    """Optimizers of different parameters as one: schedulers, clipping and checkpoints see a single optimizer.

    Args:
        *parts: New optimizers. From now on their parameter groups and their state are those of this one.
    """

    def __init__(self, *parts: Optimizer):
        self.parts = parts
        super().__init__([group for part in parts for group in part.param_groups], {})
        self.share()

    def share(self) -> None:
        """Let every part work on its parameter groups, and on the one state."""
        groups = iter(self.param_groups)
        for part in self.parts:
            part.param_groups = list(itertools.islice(groups, len(part.param_groups)))
            part.state = self.state

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of every part; returns the loss when a closure computes it first."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state from `state_dict`."""
        super().load_state_dict(state_dict)  # makes new groups and a new state
        self.share()
