"""A learning rate as a function of the step."""

from collections.abc import Callable

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


class Schedule(LambdaLR):
    """`LambdaLR` whose `step` does nothing but set the rates: a tenth of the cost, which small models feel.

    Args:
        optimizer: Whose rates are set.
        factors: For each parameter group, from the step to what its first rate is multiplied by.
    """

    def __init__(self, optimizer: Optimizer, factors: list[Callable[[int], float]]):
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
