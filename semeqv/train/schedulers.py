"""How the learning rate changes from step to step."""

import math
from dataclasses import dataclass
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.runs.errors import UserError


@component("schedulers noscheduler")
@dataclass(frozen=True, kw_only=True)
class NoScheduler:
    """Leave the learning rate as it is."""

    def build(self) -> None:
        """None: nothing changes the learning rate."""


@component("schedulers constant")
@dataclass(frozen=True, kw_only=True)
class Constant:
    """A constant learning rate after a linear warmup.

    Args:
        warmup: Steps in which the rate rises from 0.
        last_epoch: The last step, counted from 0, that the schedule has behind it when the run begins; -1 for none.
    """

    warmup: int = 0
    last_epoch: int = -1

    def __post_init__(self) -> None:
        check_bounds(self, warmup=0, last_epoch=-1)

    def build(self, optimizer: Any) -> Any:
        """The scheduler of an optimizer."""
        from semeqv.train.schedule import Schedule

        return Schedule(optimizer, [self.factor] * len(optimizer.param_groups))

    def factor(self, step: int) -> float:
        """What the learning rate is multiplied by at a step."""
        return min(1.0, (step + self.last_epoch + 2) / (self.warmup + 1))


@component("schedulers cosine")
@dataclass(frozen=True, kw_only=True)
class Cosine:
    """A cosine between the learning rate and a lowest one, and back (Loshchilov & Hutter, 2017, arXiv 1608.03983).

    Periodic: it is at `lrmin` after `tmax` steps, 3 `tmax`, 5 `tmax`, and at the full rate after 2 `tmax`, 4 `tmax`.
    The rate of step t is lrmin + (learning_rate - lrmin) (1 + cos(pi t / tmax)) / 2. For half a cosine that ends with
    the run, say `cosine-warmup`.

    Args:
        tmax: Steps from the highest rate to the lowest.
        lrmin: The lowest rate.
    """

    tmax: int = 10_000
    lrmin: float = 0.0

    def __post_init__(self) -> None:
        check_bounds(self, tmax=1)
        if not self.lrmin >= 0:
            raise ValueError(f"--lrmin must be 0 or more, not {self.lrmin}.")

    def build(self, optimizer: Any) -> Any:
        """The scheduler of an optimizer."""
        from semeqv.train.schedule import Schedule

        def factor(low: float) -> Any:
            return lambda step: low + (1 - low) * (1 + math.cos(math.pi * step / self.tmax)) / 2

        rates = [float(group["lr"]) for group in optimizer.param_groups]
        return Schedule(optimizer, [factor(self.lrmin / rate if rate else 0.0) for rate in rates])


@dataclass(frozen=True, kw_only=True)
class Falling:
    """What the schedules that rise, and then fall to the end of the run, have in common.

    Args:
        warmup: Steps in which the rate rises from 0.
        total: Steps, those of the warmup among them, after which the rate is the lowest, and stays there; all steps of
            the run if left out.
        lrmin: The lowest rate.
    """

    warmup: int = 0
    total: int | None = None
    lrmin: float = 0.0

    def __post_init__(self) -> None:
        if self.warmup < 0:
            raise ValueError(f"--warmup must be 0 or more, not {self.warmup}.")
        if self.total is not None and self.total <= self.warmup:
            raise ValueError(f"--total {self.total} must be more than the {self.warmup} steps of --warmup.")
        if not self.lrmin >= 0:
            raise ValueError(f"--lrmin must be 0 or more, not {self.lrmin}.")

    def build(self, optimizer: Any, last_step: int) -> Any:
        """The scheduler of an optimizer.

        Args:
            optimizer: Whose rates it sets.
            last_step: The number of the last step of the run.

        Returns:
            A `Schedule`.

        Raises:
            UserError: When the last step comes before the warmup is over.
        """
        from semeqv.train.schedule import Schedule

        total = self.total or last_step
        if total <= self.warmup:
            raise UserError(f"--warmup {self.warmup} leaves none of the {total} steps of the run to fall in.")

        def factor(low: float) -> Any:
            return lambda step: self.factor(step, total, low)

        rates = [float(group["lr"]) for group in optimizer.param_groups]
        return Schedule(optimizer, [factor(self.lrmin / rate if rate else 0.0) for rate in rates], total)

    def factor(self, step: int, total: int, low: float) -> float:
        """What the learning rate is multiplied by at a step, when `low` is the lowest factor."""
        if step < self.warmup:
            return (step + 1) / (self.warmup + 1)
        return low + (1 - low) * self.height(min(1.0, (step - self.warmup) / (total - self.warmup)))

    def height(self, progress: float) -> float:
        """How high above the lowest rate it is, from 1 to 0, when the fall has progressed so far, from 0 to 1."""
        raise NotImplementedError


@component("schedulers linear")
@dataclass(frozen=True, kw_only=True)
class Linear(Falling):
    """A learning rate that falls in a straight line to the end of the run, after a linear warmup.

    The rate of step t, counted from 0, is learning_rate (t + 1) / (warmup + 1) before step `warmup`, and then
    lrmin + (learning_rate - lrmin) (total - t) / (total - warmup).
    """

    def height(self, progress: float) -> float:
        """A straight line."""
        return 1 - progress


@component("schedulers cosine-warmup")
@dataclass(frozen=True, kw_only=True)
class CosineWarmup(Falling):
    """A learning rate that falls along half a cosine to the end of the run, after a linear warmup.

    (Loshchilov & Hutter, 2017, arXiv 1608.03983, without restarts.) The rate of step t, counted from 0, is
    learning_rate (t + 1) / (warmup + 1) before step `warmup`, and then
    lrmin + (learning_rate - lrmin) (1 + cos(pi (t - warmup) / (total - warmup))) / 2.
    """

    def height(self, progress: float) -> float:
        """Half a cosine."""
        return (1 + math.cos(math.pi * progress)) / 2
