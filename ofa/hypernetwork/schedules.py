"""How the learning rate of a hypernetwork falls."""

from dataclasses import dataclass
from typing import Any

from semeqv.engine.component import check_bounds, component


@component("ofa schedulers stairs")
@dataclass(frozen=True, kw_only=True)
class Stairs:
    """A learning rate that falls by a factor after every so many epochs, as HyperOFA's does (arXiv 2504.21018).

    Args:
        factor: What it is multiplied by.
        every: Epochs between.
    """

    factor: float = 0.95
    every: int = 10

    def __post_init__(self) -> None:
        check_bounds(self, factor=(0, 1), every=1)

    def build(self, optimizer: Any, dataset: Any, accumulation: int) -> Any:
        """The scheduler of an optimizer.

        Args:
            optimizer: Whose rates it sets.
            dataset: The data sets of the run; the training set knows how many batches an epoch has.
            accumulation: Batches of a step.

        Returns:
            A `Schedule`.
        """
        from semeqv.engine.schedule import Schedule

        steps = self.every * max(len(dataset["train", None]) // accumulation, 1)
        return Schedule(optimizer, [lambda step: self.factor ** (step // steps)] * len(optimizer.param_groups))
