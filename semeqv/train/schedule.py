"""A learning rate as a function of the step."""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from semeqv.runs.errors import UserError


class Schedule(LambdaLR):
    """`LambdaLR` whose `step` does nothing but set the rates: a tenth of the cost, which small models feel.

    Args:
        optimizer: Whose rates are set.
        factors: For each parameter group, from the step to what its first rate is multiplied by.
        total: The step at which the schedule ends, if it does.
    """

    def __init__(self, optimizer: Optimizer, factors: list[Callable[[int], float]], total: int | None = None):
        self.total = total
        self.firsts = [float(group["lr"]) for group in optimizer.param_groups]
        super().__init__(optimizer, factors)

    def step(self, epoch: int | None = None) -> None:
        """Go on by one step, or to a step."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        for group, first, factor in zip(self.optimizer.param_groups, self.firsts, self.lr_lambdas):
            rate = first * factor(self.last_epoch)
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state.

        Args:
            state_dict: What `state_dict` gave.

        Raises:
            UserError: When its schedule ended at another step: the rates would not be those of either.
        """
        if (total := state_dict.get("total")) != self.total:
            raise UserError(
                f"The learning rate was to fall until step {total}, and now until step {self.total}. Give the run as "
                "many steps as it had; one that may go on longer needs --total of its scheduler from the start."
            )
        super().load_state_dict(state_dict)
