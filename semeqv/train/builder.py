"""The builder of a Trainer: what a run is made of, one setter for each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from semeqv.lazy import nn
from semeqv.runs.folder import RunFolder
from semeqv.train.callbacks.callback import Callback
from semeqv.train.state import TrainState
from semeqv.train.step import own_loss


class Builder(TrainState):
    """What a run is made of. Every setter returns the object, so that calls chain."""

    def set_model(self, model: nn.Module) -> Self:
        """Train one model: `forward(**batch)` returns a mapping with `logits` or `loss`."""
        return self.set_replicas([model], self.seeds[:1], self.runs)

    def set_replicas(self, models: Sequence[nn.Module], seeds: Sequence[int], runs: Sequence[RunFolder] = ()) -> Self:
        """Train several models of one shape, each on the data stream of its own seed.

        Args:
            models: One per replica.
            seeds: One per replica.
            runs: The folder of each; may be left out, and nothing is then written.

        Returns:
            This object.
        """
        self.models, self.seeds, self.runs = list(models), list(seeds), list(runs)
        return self

    def set_seed(self, seed: int) -> Self:
        """Set the seed of what is sampled in training. (Seed the initial weights where you make the model.)"""
        self.seeds = [seed]
        return self

    def set_output(self, path: str | Path, overwrite: bool = False) -> Self:
        """Write run.json, metrics and checkpoints into a folder."""
        self.runs = [RunFolder(Path(path), overwrite=overwrite, mute=not self.world.is_main)]
        return self

    def set_loss_fn(self, loss: Any) -> Self:
        """Set the loss: from outputs and batch to metrics, one of them `loss`; None for the model's own."""
        self.loss = loss or own_loss
        return self

    def set_optimizer(self, optimizer: Any) -> Self:
        """Set the optimizer: made, a component such as `AdamW()`, or a function from the model to it."""
        self.optimizer = maker(optimizer)
        return self

    def set_scheduler(self, scheduler: Any) -> Self:
        """Set the scheduler, stepped after every step: a component, or a function from the optimizer to it; or None."""
        self.scheduler = maker(scheduler, last_step=lambda: self.last_step)
        return self

    def set_trainsplit(self, dataset: Any) -> Self:
        """Set what the model is trained on."""
        self.trainsplit = dataset
        return self

    def set_validsplit(self, dataset: Any, name: str | None = None) -> Self:
        """Add a validation set; a name tells several apart."""
        self.validsplits[name] = dataset
        return self

    def set_testsplit(self, dataset: Any, name: str | None = None) -> Self:
        """Add a test set; a name tells several apart."""
        self.testsplits[name] = dataset
        return self

    def add_callback(self, callback: Callback) -> Self:
        """Add an observer of one split."""
        self.callbacks.append(callback)
        return self

    def set_tokenizer(self, tokenizer: Any) -> Self:
        """Set what is kept beside the weights in every checkpoint: a tokenizer with `save_pretrained`; or None."""
        self.tokenizer = tokenizer
        return self

    def set_saver(self, saver: Any) -> Self:
        """Set what keeps checkpoints, or None."""
        self.saver = saver
        return self

    def set_epochs(self, epochs: int) -> Self:
        """Train for so many passes over the training split."""
        self.epochs = epochs
        return self

    def set_steps(self, steps: int | None) -> Self:
        """Train for so many steps, instead of epochs."""
        self.steps = steps
        return self

    def set_epochs_to_valid(self, epochs: int) -> Self:
        """Set the epochs between two validations."""
        self.epochs_to_valid = epochs
        return self

    def set_steps_to_valid(self, steps: int | None) -> Self:
        """Set the steps between two validations, instead of epochs; None for epochs."""
        self.steps_to_valid = steps
        return self

    def set_record_steps(self, steps: int | None) -> Self:
        """Set the steps from one record of training to the next; None for a hundredth of the run, at least 50."""
        self.record_steps = steps
        return self

    def set_device(self, device: str) -> Self:
        """Set where to compute: auto, cpu, cuda, cuda:N or mps."""
        self.device = device
        return self

    def set_precision(self, precision: str) -> Self:
        """Set the numbers of forward and backward passes: fp32, bf16 or fp16."""
        self.precision = precision
        return self

    def set_accumulation(self, batches: int) -> Self:
        """Add up the gradients of so many batches in one step."""
        self.accumulation = batches
        return self

    def set_clip(self, norm: float | None) -> Self:
        """Set the largest norm of a replica's gradient, or None."""
        self.clip = norm
        return self

    def set_compile(self, compile: bool | str) -> Self:
        """Set whether the step is compiled: True, False or auto."""
        self.compile = compile
        return self

    def set_threads(self, threads: int | None) -> Self:
        """Set the threads of a CPU run; None for all cores."""
        self.threads = threads
        return self

    def set_skip_nonfinite(self, steps: int) -> Self:
        """Set how many steps with a loss or gradient that is not finite are skipped before training stops."""
        self.skip_nonfinite = steps
        return self

    def set_strategy(self, strategy: str, timeout: float = 10.0) -> Self:
        """Set how the processes that torchrun started share the work: ddp or fsdp.

        Args:
            strategy: Copies of the model (ddp), or shards of it (fsdp).
            timeout: Minutes to wait for a process that does not answer.

        Returns:
            This object.
        """
        self.strategy, self.timeout = strategy, timeout
        return self

    def set_deterministic(self, on: bool) -> Self:
        """Compute with deterministic kernels alone."""
        self.deterministic = on
        return self

    def set_detect_anomaly(self, detect: bool) -> Self:
        """Let autograd name the operation that made a NaN."""
        self.detect_anomaly = detect
        return self

    def set_bars(self, train: bool = True, valid: bool = True, test: bool = True, epoch: bool = True) -> Self:
        """Show progress bars, where stderr is a terminal."""
        self.bars = {"train": train, "valid": valid, "test": test, "epoch": epoch}
        return self


def maker(part: Any, **facts: Callable[[], Any]) -> Any:
    """A function that makes a part.

    Args:
        part: The part, made already; a component; or such a function.
        **facts: What the `build` of a component may ask for, besides what the part is made for, as functions.

    Returns:
        From what the part is made for (a model, an optimizer) to the part; None for None.
    """
    if part is None:
        return None
    if not hasattr(part, "build"):
        return Made(part) if hasattr(part, "state_dict") else part
    asked = inspect.signature(part.build).parameters

    def make(given: Any) -> Any:
        said = {name: fact() for name, fact in facts.items() if name in asked}
        return part.build(**said) if set(asked) <= set(said) else part.build(given, **said)

    return make


class Made:
    """A part that was made already, as a function that gives it.

    Args:
        part: An optimizer or a scheduler.
    """

    def __init__(self, part: Any):
        self.part = part

    def __call__(self, _: Any) -> Any:
        """The part."""
        return self.part
