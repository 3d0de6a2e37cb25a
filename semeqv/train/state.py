"""The state of a run: its parts, and where it stands. Callbacks, savers and progress bars read it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from semeqv.lazy import nn, torch
from semeqv.runs.folder import RunFolder
from semeqv.runs.processes import World
from semeqv.runs.signals import Signals
from semeqv.train.metrics import MetricAverage, Scorer
from semeqv.train.step import TrainStep, own_loss


class TrainState:
    """The parts of a run and its progress. A `Trainer` is one."""

    def __init__(self) -> None:
        # the parts
        self.models: list[nn.Module] = []
        self.seeds: list[int] = [42]
        self.runs: list[RunFolder] = []
        self.loss: Callable[..., Mapping[str, torch.Tensor]] = own_loss
        self.optimizer: Any = None
        self.scheduler: Any = None
        self.trainsplit: Any = None
        self.validsplits: dict[str | None, Any] = {}
        self.testsplits: dict[str | None, Any] = {}
        self.callbacks: list[Any] = []  # of `Callback`, which is made for this class
        self.saver: Any = None
        self.tokenizer: Any = None
        # how to train
        self.epochs, self.epochs_to_valid = 1, 1
        self.steps: int | None = None
        self.steps_to_valid: int | None = None
        self.record_steps: int | None = None
        self.device, self.precision, self.accumulation = "auto", "fp32", 1
        self.clip: float | None = None
        self.compile: bool | str = "auto"
        self.threads: int | None = None
        self.skip_nonfinite = 0
        self.world, self.strategy, self.timeout = World.here(), "ddp", 10.0
        self.deterministic = self.detect_anomaly = False
        self.bars = {"train": True, "valid": True, "test": True, "epoch": True}
        # the progress
        self.step = 0
        self.epoch_steps = 1
        self.learner: TrainStep | None = None
        self.started = self.trained = False
        self.scorers: list[Scorer] = []  # what judged the last pass over a data set, one for each replica
        self.skipped: list[int] = []  # steps whose loss or gradient was not finite
        self.unvalidated = False  # whether the validation that this step asks for is still to come
        self.stopping: str | None = None
        self.signals = Signals()
        self.spent, self.since = 0.0, 0.0  # seconds of earlier sessions, and when this one began
        self.epoch_mean, self.window_mean = MetricAverage(()), MetricAverage(())

    @property
    def epoch(self) -> int:
        """Return the number of epochs that are complete."""
        return self.step // self.epoch_steps

    @property
    def last_step(self) -> int:
        """Return the number of the last step."""
        return self.steps or self.epochs * self.epoch_steps

    @property
    def record_every(self) -> int:
        """Return the steps from one record of the training metrics to the next."""
        return self.record_steps or max(50, self.last_step // 100)

    @property
    def seconds(self) -> float:
        """Return how long the run has trained, in all sessions up to now."""
        return self.spent + time.perf_counter() - self.since

    @property
    def made(self) -> TrainStep:
        """Return the learner, once training or testing has begun."""
        assert self.learner is not None
        return self.learner

    def stop(self, reason: str) -> None:
        """End training with this step: validate, save and finish as after the last one.

        Args:
            reason: Why, in a few words, for the user and run.json.
        """
        self.stopping = self.stopping or reason

    def means(self, replica: int) -> list[list[Any]]:
        """Return the unfinished means of a replica, for a checkpoint."""
        return [mean.state(replica) for mean in (self.epoch_mean, self.window_mean)]

    def restore_means(self, replica: int, saved: list[list[Any]]) -> None:
        """Take over the unfinished means of a replica."""
        for mean, state in zip((self.epoch_mean, self.window_mean), saved):
            mean.restore(replica, state, len(self.seeds))
