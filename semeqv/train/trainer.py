"""The Trainer: a builder whose setters read like the sentence, and the loop."""

from __future__ import annotations

import contextlib
import itertools
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError
from semeqv.runs.folder import facts_of
from semeqv.runs.signals import Interrupted, Leaving, Signals
from semeqv.train.bars import RunBar, epoch_bar, shown_pass
from semeqv.train.batches import Batch, prefetched, targets
from semeqv.train.best_weights import best_weights
from semeqv.train.builder import Builder
from semeqv.train.callbacks.callback import Callback
from semeqv.train.compute import be_deterministic, resolve_precision, set_precision, torch_device
from semeqv.train.metrics import MetricAverage, Metrics, Scorer, as_arrays, scored
from semeqv.train.nonfinite import NonFiniteGuard
from semeqv.train.preparation import check_parts, make_learner
from semeqv.train.randomness import seed_everything
from semeqv.train.replicas import VmappedReplicas, replica_stream


@dataclass(frozen=True)
class Pass:
    """What one pass over a data set has measured.

    Args:
        metrics: Name to an array over replicas.
        scorers: What has judged the predictions of each replica, where the data set has any.
        batches: The metrics of each batch, where a callback asks for them.
    """

    metrics: Metrics
    scorers: list[Scorer]
    batches: list[Metrics]


class Trainer(Builder):
    """Trains and tests a model, or several replicas of it.

    Every setter returns the trainer, so that a run reads as a sentence:

        Trainer().set_model(model).set_optimizer(AdamW(learning_rate=3e-4)).set_trainsplit(data).set_epochs(3).train()

    The loop, with its callbacks (`on_*`):

        on_start; resume from the newest valid checkpoint, or on_begin
        for each step of training:
            one step: forward, backward, clip; stop if the loss or gradient is not finite; update, schedule
            (of several processes each takes its rows of the batch, and sees the metrics of the whole)
            on_step of the train callbacks, every `callback.steps` steps
            when the step ends an epoch:
                on_epoch of the train callbacks, every `callback.epochs` epochs
            every `record_every` steps, and before each validation: the mean of the training metrics since the last
                such record goes into metrics.jsonl
            every `epochs_to_valid` epochs (or `steps_to_valid` steps), and at the end: for each validation set
                metrics without gradients; on_batch of the validation callbacks that ask for batches; on_epoch of the
                validation callbacks; the best weights are kept
            save a checkpoint when the saver says so
            a callback may end training with the step (`trainer.stop`); so may a signal, after a checkpoint; one that
                comes before or during a validation does not wait for it: the resumed run begins with that validation
        save a checkpoint; on_end
    """

    def __init__(self) -> None:
        super().__init__()
        self.watch = NonFiniteGuard(self)
        self.observers: list[Callback] = []
        self.asked = 0  # the signal that asked the run to end, if one did

    # -- training -------------------------------------------------------------------------------------------------

    def train(self) -> Metrics:
        """Train up to the last step.

        `UserError` is raised when a part is missing, data and model do not fit, the loss or gradient is not finite, or
        the run cannot be resumed or written.

        Returns:
            The last metrics of validation (of training when there is no validation set), name to an array over
            replicas; empty when a resumed run had no step left.
        """
        try:
            with self.world.peer_failure_as_user_error():
                if not self.trained:
                    self.prepare()
                self.trained = True
                self.since = time.perf_counter()
                metrics = self.loop()
                self.spent = self.seconds
            if isinstance(self.made, VmappedReplicas):
                for r, model in enumerate(self.models):
                    model.load_state_dict(self.made.module(r).state_dict())
            for model in self.models:
                model.trained = True  # type: ignore[assignment]  # for actions that see the model alone
            for run in self.runs:
                run.finish(self.step, self.spent, stopped=self.stopping, skipped=self.skipped)
        finally:
            for run in self.runs:
                run.release()
        if self.asked:  # in the last step, or what followed it
            self.interrupted(self.asked)
        return metrics

    def loop(self) -> Metrics:
        """Take the steps that are left, from where the run stands; returns the last metrics."""
        if (self.step >= self.last_step and not self.unvalidated) or self.stopping:
            why = f" and was stopped: {self.stopping}" if self.stopping else ""
            click.echo(f"Nothing is left to do: the run is at step {self.step}{why}.", err=True)
            return self.measure_all() or self.window_mean.value()
        last: Metrics = {}
        self.signals, over = Signals(), False
        with (
            self.signals.heard(),
            self.running(),
            self.stream() as batches,
            RunBar(self) as bar,
            epoch_bar(self) as inner,
        ):
            if self.unvalidated:
                over, last = self.finish_step()
            while not over:
                metrics = self.made.step([next(batches) for _ in range(self.accumulation)])
                self.step += 1
                over, last = self.finish_step(metrics)
                bar.take(metrics[self.made.names.index("loss")])
                if inner:
                    inner.reset() if self.step % self.epoch_steps == 0 else inner.update()
            for callback in self.callbacks:
                callback.on_end(self)
            (self.asked,) = self.world.largest(self.signals.asked)
        if self.stopping:
            click.echo(f"Stopped at step {self.step}: {self.stopping}", err=True)
        return last

    def finish_step(self, metrics: torch.Tensor | None = None) -> tuple[bool, Metrics]:
        """Do what follows a step: observe it, record, validate and save where that is due.

        Args:
            metrics: What the step returned; None when it was observed before the run was resumed.

        Returns:
            Whether it was the last step; and the metrics of the validation, if there was one.
        """
        last: Metrics = {}
        ended, over = self.step % self.epoch_steps == 0, self.step == self.last_step
        valid = over or self.validates(ended)
        records = self.step % self.record_every == 0 and not valid
        due = self.saver is not None and self.saver.due(self, ended)
        asked, due = self.world.largest(self.signals.asked, due)
        if metrics is not None:
            self.observe(metrics, ended, check=bool(valid or due or asked or records))
        if valid or self.stopping:
            try:
                self.unvalidated = valid and not self.stopping
                last = self.validate()
                self.unvalidated = False
            except Leaving as leaving:
                asked, over = leaving.number, False
        elif records:
            self.record_training()
        over = over or self.stopping is not None
        if self.saver is not None and (due or over or asked):
            self.saver.save(self, final=over)
        if asked and not over:
            self.interrupted(asked)
        return over, last

    def observe(self, metrics: torch.Tensor, ended: bool, check: bool) -> None:
        """Take in the metrics of a step, and show them to the callbacks of training."""
        if self.watch.takes(metrics, at_once=check or not self.made.lazy):
            self.epoch_mean.add(metrics)
            self.window_mean.add(metrics)
        for callback in self.observers:
            if callback.steps and self.step % callback.steps == 0:
                self.watch.check()
                callback.on_step(self, as_arrays(self.made.names, metrics))
            if ended and callback.epochs and self.epoch % callback.epochs == 0:
                self.watch.check()
                callback.on_epoch(self, self.epoch_mean.value(), None)
        if ended:
            self.epoch_mean.clear()

    def interrupted(self, number: int) -> None:
        """Leave the run that a signal has asked to end.

        Args:
            number: The signal.

        Raises:
            KeyboardInterrupt: After SIGINT.
            Interrupted: After another signal, with its exit code.
        """
        for run in self.runs:
            run.flush()
        click.echo(f"Stopped after step {self.step}" + (", saved." if self.saver and self.runs else "."), err=True)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Interrupted(number)

    def validates(self, ended: bool) -> bool:
        """Return whether the validation sets are due after this step, which may have ended an epoch."""
        if self.steps_to_valid:
            return self.step % self.steps_to_valid == 0
        return ended and self.epoch % self.epochs_to_valid == 0

    def record_training(self) -> Metrics:
        """Write the mean of the training metrics since the last such record, and return it."""
        trained = self.window_mean.value()
        self.window_mean.clear()
        self.write("train", None, trained)
        return trained

    def validate(self) -> Metrics:
        """Write the training metrics since the last record, and the metrics of each validation set.

        Nothing is written before all sets are measured: a signal may end the run until then (`Leaving`).

        Returns:
            The mean over validation sets, or the training metrics when there are none.
        """
        passes = [self.measure("validation", dataset, self.unvalidated) for dataset in self.validsplits.values()]
        trained = self.record_training()
        for name, found in zip(self.validsplits, passes):
            self.tell("validation", name, found)
        measured = self.mean_of([found.metrics for found in passes])
        if measured and self.saver is not None:
            self.saver.note(self, measured)
        return measured or trained

    def measure_all(self) -> Metrics:
        """The mean over validation sets of the metrics that all of them have; nothing is written."""
        return self.mean_of([self.measure("validation", dataset).metrics for dataset in self.validsplits.values()])

    def mean_of(self, found: list[Metrics]) -> Metrics:
        """The mean over sets of the metrics that all of them have; empty when there are none."""
        shared = [name for name in found[0] if all(name in each for each in found)] if found else []
        return {name: numpy.mean([each[name] for each in found], axis=0) for name in shared}

    def test(self) -> dict[str | None, Metrics]:
        """Measure every test set, with the best weights when they were kept, else the last.

        Returns:
            Metrics by the name of the test set, arrays over replicas.

        Raises:
            UserError: When there is no test set or no model, or nothing was trained and a run's folder has no
                checkpoint.
        """
        if not self.testsplits:
            raise UserError("There is nothing to test on. Add a data set with --split test.")
        if self.learner is None:
            self.prepare(training=False)
        last = self.step
        with self.world.peer_failure_as_user_error(), self.running(), best_weights(self) as steps:
            self.step = max(steps, default=self.step)
            passes = {}
            for name, dataset in self.testsplits.items():
                passes[name] = self.measure("test", dataset)
                self.tell("test", name, passes[name], steps)
        if self.trained:
            self.step = last
        for run in self.runs:
            run.flush()
        return {name: found.metrics for name, found in passes.items()}

    def measure(self, split: str, dataset: Any, interruptible: bool = False) -> Pass:
        """Measure one pass over a data set; nothing is written.

        Args:
            split: validation or test.
            dataset: The data set.
            interruptible: Whether a signal ends the pass.

        Returns:
            What was measured.

        Raises:
            Leaving: When a signal has asked the run to end.
        """
        mean, batches = MetricAverage(self.made.names), list[Metrics]()
        scorers = [dataset.scorer() for _ in self.models] if hasattr(dataset, "scorer") else []
        shifted = getattr(self.models[0], "predicts_next", False)
        wanted = any(each.split == split and each.batches for each in self.callbacks)
        for batch in shown_pass(self, split, dataset):
            if interruptible:
                (asked,) = self.world.largest(self.signals.asked)
                if asked:
                    raise Leaving(asked)
            found = self.made.evaluate(batch, scorers)
            mean.add(found, targets(batch, shifted))
            if wanted:
                batches.append(as_arrays(self.made.names, found))
        return Pass(mean.value() | scored(scorers, self.world), scorers, batches)

    def tell(self, split: str, name: str | None, found: Pass, steps: Sequence[int] = ()) -> None:
        """Write down what was measured, and show it to the callbacks of its split.

        Args:
            split: validation or test.
            name: The name of the data set, if it has one.
            found: What was measured.
            steps: The step of the weights of each run; that of the Trainer if left out.
        """
        self.scorers = found.scorers
        observers = [
            callback
            for callback in self.callbacks
            if callback.split == split and callback.epochs and self.is_due(callback)
        ]
        for number, metrics in enumerate(found.batches, start=1):
            for callback in observers:
                if callback.batches:
                    callback.on_batch(self, metrics, name, number)
        self.write(split, name, found.metrics, steps)
        for callback in observers:
            callback.on_epoch(self, found.metrics, name)

    def is_due(self, callback: Callback) -> bool:
        """Return whether a callback observes the passes of this step."""
        by_step = callback.split == "test" or self.steps_to_valid is not None
        return by_step or self.epoch % callback.epochs == 0

    def write(self, split: str, name: str | None, metrics: Metrics, steps: Sequence[int] = ()) -> None:
        """Add a line to every replica's metrics.jsonl, of the step that its weights are from."""
        for r, (run, step) in enumerate(zip(self.runs, steps or itertools.repeat(self.step))):
            values = {key: float(value[r]) for key, value in metrics.items()}
            where = {"epoch": step // self.epoch_steps, "step": step, "split": split, "name": name}
            run.metrics.append(where | values)

    # -- preparations ---------------------------------------------------------------------------------------------

    def prepare(self, training: bool = True) -> None:
        """Make the learner, start or resume the run.

        Args:
            training: Whether to train; a test neither resumes nor starts a run, it only opens the callbacks' files.
        """
        check_parts(self, training)
        self.step = 0  # a test may have set it
        if self.trainsplit is not None:
            self.epoch_steps = max(1, len(self.trainsplit) // self.accumulation)
        if self.threads:
            torch.set_num_threads(self.threads)
        device = torch_device(self.device, self.world)
        self.precision = resolve_precision(self.precision, device)
        set_precision(self.precision)
        if self.deterministic:
            be_deterministic()
        self.world.join(device.type == "cuda", self.timeout)
        if training:
            self.world.on_main(self.hold)
            self.check_disk()
        found = self.saver.find(self) if training and self.saver is not None else []
        self.learner = make_learner(self, device, found, training)
        self.epoch_mean, self.window_mean = MetricAverage(self.learner.names), MetricAverage(self.learner.names)
        self.observers = [callback for callback in self.callbacks if callback.split == "train"]
        if not self.started:
            for callback in self.callbacks:
                callback.on_start(self)
        self.started = True
        if not training:
            for run in self.runs:
                run.reopen()
                self.world.on_main(partial(run.measure, self.facts()))
            return
        resumed = self.saver is not None and self.saver.resume(self, found)
        if not resumed:
            seed_everything(self.seeds[0], self.world.rank)
        for run in self.runs:
            own = resumed and self.saver.restorepath is None
            replace = self.saver is not None and self.saver.resuming
            self.world.on_main(partial(run.start, self.facts(), own, replace=replace))
        if not resumed:
            for callback in self.callbacks:
                callback.on_begin(self)

    def check_disk(self) -> None:
        """Refuse shards of checkpoints that processes would write to different disks.

        Raises:
            UserError: When they would.
        """
        if self.strategy != "fsdp" or self.world.size == 1:
            return
        for run in self.runs:
            if False in self.world.all_gather(self.world.shares(run.path)):
                raise UserError(
                    f"With --strategy fsdp every process writes its part of a checkpoint, but not all of them see "
                    f"{run.path}. Name an --output on a disk that all machines share."
                )

    def hold(self) -> None:
        """Keep the folders of the runs to this Trainer, until it has trained."""
        for run in self.runs:
            run.hold()

    def stream(self) -> contextlib.AbstractContextManager[Iterator[Batch]]:
        """Training batches from the current step on; several replicas are their first dimension."""
        start = self.step * self.accumulation
        if isinstance(self.learner, VmappedReplicas) or len(self.seeds) > 1:
            lanes = self.learner.lanes(self.seeds) if isinstance(self.learner, VmappedReplicas) else self.seeds
            batches = replica_stream(self.trainsplit, lanes, start)
        else:
            batches = self.trainsplit.stream(self.seeds[0], start)
        if self.made.regime.device.type == "cpu":
            return contextlib.nullcontext(batches)
        return prefetched(batches, pinned=self.made.regime.device.type == "cuda")

    def facts(self) -> dict[str, Any]:
        """What the parts of the run say of themselves, for run.json."""
        sets: dict[tuple[str, str | None], Any] = {("train", None): self.trainsplit}
        sets |= {("validation", name): each for name, each in self.validsplits.items()}
        sets |= {("test", name): each for name, each in self.testsplits.items()}
        return {
            "dataset": facts_of(sets),
            "parameters": sum(p.numel() for p in self.models[0].parameters()),
            "mode": "program" if isinstance(self.learner, VmappedReplicas) else "eager",
            "compiled": self.made.regime.compile,
            "device": str(self.made.regime.device),
            "precision": self.precision,
            "deterministic": self.deterministic,
            "processes": self.world.size,
            "threads": torch.get_num_threads(),
            "epoch_steps": self.epoch_steps,
        }

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """The state of torch during a run.

        Raises:
            RuntimeError: When something else goes wrong than what follows.
            UserError: When autograd has found the operation that made a NaN, which torch shows as a warning; or an
                operation has no deterministic form.
        """
        try:
            with torch.autograd.set_detect_anomaly(self.detect_anomaly):
                yield
        except RuntimeError as error:
            if self.deterministic and "deterministic" in str(error):
                raise UserError(f"--deterministic: {str(error).partition('. ')[0]}.") from error
            if not self.detect_anomaly or "returned nan values" not in str(error):
                raise
            raise UserError(f"In step {self.step + 1}: {error}{self.watch.keep(self.step + 1, 0)}") from error
