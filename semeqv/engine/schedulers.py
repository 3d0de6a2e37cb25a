"""How the learning rate changes from step to step."""

import math
from dataclasses import dataclass
from typing import Any

from semeqv.engine.component import component


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
    """

    warmup: int = 0

    def __post_init__(self) -> None:
        if self.warmup < 0:
            raise ValueError(f"--warmup must be 0 or more, not {self.warmup}.")

    def build(self, optimizer: Any) -> Any:
        """The scheduler of an optimizer."""
        from semeqv.engine.schedule import Schedule

        return Schedule(optimizer, [self.factor] * len(optimizer.param_groups))

    def factor(self, step: int) -> float:
        """What the learning rate is multiplied by at a step."""
        return min(1.0, (step + 1) / (self.warmup + 1))


@component("schedulers cosine")
@dataclass(frozen=True, kw_only=True)
class Cosine:
    """A cosine between the learning rate and a lowest one, and back (Loshchilov & Hutter, 2017, arXiv 1608.03983).

    Periodic: it is at `lrmin` after `tmax` steps, 3 `tmax`, 5 `tmax`, and at the full rate after 2 `tmax`, 4 `tmax`.
    The rate of step t is lrmin + (learning_rate - lrmin) (1 + cos(pi t / tmax)) / 2.

    Args:
        tmax: Steps from the highest rate to the lowest.
        lrmin: The lowest rate.
    """

    tmax: int = 10_000
    lrmin: float = 0.0

    def __post_init__(self) -> None:
        if self.tmax < 1:
            raise ValueError(f"--tmax must be at least 1, not {self.tmax}.")
        if not self.lrmin >= 0:
            raise ValueError(f"--lrmin must be 0 or more, not {self.lrmin}.")

    def build(self, optimizer: Any) -> Any:
        """The scheduler of an optimizer."""
        from semeqv.engine.schedule import Schedule

        def factor(low: float) -> Any:
            return lambda step: low + (1 - low) * (1 + math.cos(math.pi * step / self.tmax)) / 2

        rates = [float(group["lr"]) for group in optimizer.param_groups]
        return Schedule(optimizer, [factor(self.lrmin / rate if rate else 0.0) for rate in rates])
