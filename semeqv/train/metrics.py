"""Means of metrics over steps and batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semeqv.lazy import numpy, torch
from semeqv.runs.processes import World
from semeqv.train.batches import Batch

Metrics = dict[str, "numpy.ndarray[Any, Any]"]


class MetricAverage:
    """The mean of metrics over steps or batches.

    Args:
        names: The metrics, in the order of their rows.
    """

    def __init__(self, names: tuple[str, ...]):
        self.names = names
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.waiting: list[torch.Tensor] = []
        self.weights: list[int] = []
        self.total: Any = 0.0
        self.weight = 0

    def add(self, metrics: torch.Tensor, weight: int = 1) -> None:
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


def as_arrays(names: tuple[str, ...], metrics: torch.Tensor) -> Metrics:
    """Metrics, (metric, replica), by name as arrays over replicas."""
    return dict(zip(names, metrics.cpu().double().numpy()))


class Scorer:
    """Judges one replica's predictions in one pass over a data set.

    A data set that has a method `scorer()` is asked for a new one for each replica and pass. What the scorer finds
    joins the metrics of the pass: in metrics.jsonl, before the callbacks, and for the saver to judge by. After the pass
    `trainer.scorers` has it, one for each replica. `NAME_low` and `NAME_high` beside `NAME` are its interval.
    """

    def __init__(self) -> None:
        self.parts: list[Any] = []  # what `look` returned, in the order of the rows
        self.model: Any = None  # that of the pass, for those who ask it more than its outputs say

    def look(self, outputs: Mapping[str, torch.Tensor], batch: Batch) -> Any:
        """What to remember of a batch, or of this process's rows of it: something small, which processes exchange."""
        raise NotImplementedError

    def scores(self) -> dict[str, float]:
        """The metrics of the pass, from `parts`."""
        raise NotImplementedError

    def take(
        self, outputs: Mapping[str, torch.Tensor], batch: Batch, counts: bool = True, *, model: Any = None
    ) -> None:
        """Remember a batch.

        Args:
            outputs: What the model returned.
            batch: What it read.
            counts: False where the rows are there for company alone.
            model: The model itself, which may be asked to go on from what it read.
        """
        self.model = model
        self.parts.append(self.look(outputs, batch) if counts else None)

    def gather(self, world: World) -> None:
        """Put together what the processes have seen of every batch."""
        if world.size > 1:
            every = zip(*world.all_gather(self.parts))
            self.parts = [part for batch in every for part in batch if part is not None]


def scored(scorers: Sequence[Scorer], world: World) -> Metrics:
    """What the scorers of all replicas found: name to an array over replicas; empty when there are none."""
    for scorer in scorers:
        scorer.gather(world)
    found = [scorer.scores() for scorer in scorers]
    return {name: numpy.array([each[name] for each in found]) for name in found[0]} if found else {}
