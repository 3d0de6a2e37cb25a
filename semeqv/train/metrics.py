"""Means of metrics over steps and batches."""

from typing import Any

import numpy
import torch
from torch import Tensor

Metrics = dict[str, "numpy.ndarray[Any, Any]"]


class Mean:
    """The mean of metrics over steps or batches.

    Args:
        names: The metrics, in the order of their rows.
    """

    def __init__(self, names: tuple[str, ...]):
        self.names = names
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.waiting: list[Tensor] = []
        self.weights: list[int] = []
        self.total: Any = 0.0
        self.weight = 0

    def add(self, metrics: Tensor, weight: int = 1) -> None:
        """Add metrics, (metric, replica), with a weight; rows beyond the named metrics are ignored."""
        self.waiting.append(metrics)
        self.weights.append(weight)
        if len(self.waiting) >= 1024:
            self.fold()

    def fold(self) -> None:
        """Add up what waits."""
        if self.waiting:
            values = torch.stack(self.waiting)[:, : len(self.names)].cpu().double().numpy()
            self.total = self.total + numpy.tensordot(numpy.asarray(self.weights, dtype=float), values, 1)
            self.weight += sum(self.weights)
            self.waiting, self.weights = [], []

    def state(self, replica: int) -> list[Any]:
        """The sums of a replica and their weight."""
        self.fold()
        return [[float(total) for total in self.total[:, replica]] if self.weight else [], self.weight]

    def restore(self, replica: int, state: list[Any], replicas: int) -> None:
        """Take over the sums of a replica."""
        totals, self.weight = state
        if self.weight:
            if isinstance(self.total, float):
                self.total = numpy.zeros((len(self.names), replicas))
            self.total[:, replica] = totals

    def value(self) -> Metrics:
        """The means: name to an array over replicas."""
        self.fold()
        if not self.weight:
            return {}
        return {name: self.total[i] / self.weight for i, name in enumerate(self.names)}


def as_arrays(names: tuple[str, ...], metrics: Tensor) -> Metrics:
    """Metrics, (metric, replica), by name as arrays over replicas."""
    return dict(zip(names, metrics.cpu().double().numpy()))
