"""A model under our Trainer and under that of transformers, timed when warm."""

import contextlib
import copy
import gc
import math
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.gpu.device import BF16, DEVICE, DRY


@dataclass
class Lap:
    """What one run of a Trainer was like, between its two marks.

    Args:
        seconds: Of a step.
        memory: The most bytes that the device held.
        loss: Mean over all steps.
    """

    seconds: float
    memory: int
    loss: float


class Marks:
    """Takes the time after two steps, the device having done all its work; the first steps, which warm up, are over.

    Args:
        first: The step after which the clock starts.
        last: The step after which it stops.
        profiler: Runs while the clock does.
    """

    def __init__(self, first: int, last: int, profiler: Any = None):
        self.first, self.last, self.profiler = first, last, profiler
        self.at = dict[int, float]()

    def reached(self, step: int) -> None:
        """Look at the clock if the step is one of the two."""
        if step not in (self.first, self.last):
            return
        if not DRY:
            torch.cuda.synchronize()
        if self.profiler and step == self.first:
            self.profiler.start()
        self.at[step] = time.perf_counter()
        if self.profiler and step == self.last:
            self.profiler.stop()

    @property
    def seconds(self) -> float:
        """Between the marks."""
        return self.at[self.last] - self.at[self.first]


def lap(train: Any, model: torch.nn.Module, data: Any, marks: Marks) -> Lap:
    """Train a copy of a model by a Trainer, alone on the device."""
    gc.collect()  # what the run before has left
    if not DRY:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    loss = train(copy.deepcopy(model), data, marks)
    memory = 0 if DRY else torch.cuda.max_memory_allocated()
    return Lap(marks.seconds / (marks.last - marks.first), memory, loss)


def our_trainer(model: torch.nn.Module, data: Any, marks: Marks, precision: str = BF16) -> float:
    """Train by the Trainer; returns the mean loss."""
    from semeqv.train.callbacks.callback import Callback
    from semeqv.train.optimizers import AdamW
    from semeqv.train.trainer import Trainer

    class Watcher(Callback):
        def on_step(self, trainer: Any, metrics: Any) -> None:
            marks.reached(trainer.step)

    trainer = Trainer().set_model(model).set_optimizer(AdamW(learning_rate=1e-4, weight_decay=0)).set_clip(1.0)
    trainer.set_trainsplit(data).set_steps(marks.last).set_device(DEVICE).set_precision(precision)
    trainer.set_bars(False, False, False, False).add_callback(Watcher(steps=marks.first))
    return float(trainer.train()["loss"][0])


def their_trainer(model: torch.nn.Module, data: Any, marks: Marks) -> float:
    """Train by the Trainer of transformers; returns the mean loss."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    class Batches(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return len(data)

        def __getitem__(self, position: int) -> Any:
            return data.batch(position)

    class Watcher(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            marks.reached(state.global_step)

    arguments = TrainingArguments(
        "theirs", max_steps=marks.last, bf16=not DRY, use_cpu=DRY, learning_rate=1e-4, lr_scheduler_type="constant",
        weight_decay=0, optim="adamw_torch_fused", max_grad_norm=1.0, per_device_train_batch_size=1,
        train_sampling_strategy="sequential", remove_unused_columns=False, report_to=[], save_strategy="no",
        logging_strategy="no", logging_nan_inf_filter=False, disable_tqdm=True,
    )  # fmt: skip
    trainer = Trainer(
        model, arguments, train_dataset=Batches(), data_collator=lambda rows: rows[0], callbacks=[Watcher()]
    )
    trainer.model_accepts_loss_kwargs = (
        False  # else it divides by the first label of a row, too, which is not predicted
    )
    with contextlib.redirect_stdout(sys.stderr):
        return float(trainer.train().training_loss)


def idle(model: torch.nn.Module, data: Any, half: int) -> float:
    """The share of the time of warm steps in which the device computes and copies nothing."""
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    profiler = profile(activities=[ProfilerActivity.CUDA])
    marks = Marks(half, 2 * half, profiler)
    lap(our_trainer, model, data, marks)
    events = [each for each in profiler.events() or () if each.device_type == DeviceType.CUDA]
    spans = ((each.time_range.start, each.time_range.end) for each in events if not each.is_user_annotation)
    return 1 - covered(spans) / 1e6 / marks.seconds


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """The length of what spans cover together; they may overlap."""
    total, until = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
