"""From the parts of a Trainer to what learns."""

from __future__ import annotations

import itertools
import os
import shutil
import sysconfig
from functools import partial
from pathlib import Path

from semeqv.lazy import torch
from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from semeqv.runs.notices import warning
from semeqv.train.builder import Made
from semeqv.train.compute import ComputeConfig, torch_device
from semeqv.train.probing import probe
from semeqv.train.replicas import VmappedReplicas, program_fits, replicable
from semeqv.train.state import TrainState
from semeqv.train.step import EagerStep, TrainStep
from semeqv.train.strategies import FSDP, STRATEGIES, SingleProcess

COMPILE_FROM = 2000  # steps from which compiling replicas pays


def check_parts(trainer: TrainState, training: bool) -> None:
    """Refuse a run that lacks a part.

    Args:
        trainer: The Trainer.
        training: Whether it trains.

    Raises:
        UserError: When there is no model, or, to train, no training set or no optimizer for each model; or when its
            loss does not allow for a batch in parts.
    """
    if not trainer.models:
        raise UserError("There is no model. Call set_model, or add: cli model ...")
    if training and trainer.trainsplit is None:
        raise UserError("There is nothing to train on. Add a data set with --split train.")
    if training and trainer.optimizer is None:
        raise UserError("Training needs an optimizer. Add: cli optimizers adamw")
    parts = trainer.world.size > 1 or trainer.accumulation > 1
    if training and parts and getattr(trainer.models[0], "contrasts_rows", False):
        raise UserError(
            "The loss of this model compares all rows of a batch with each other, and is another one when the batch "
            "comes in parts. Train it in one process, without --accumulation."
        )
    if len(trainer.models) > 1 and (isinstance(trainer.optimizer, Made) or isinstance(trainer.scheduler, Made)):
        raise UserError("Several models need an optimizer each; set a component, or a function of the model.")


def make_learner(trainer: TrainState, device: torch.device, found: list[Path], training: bool) -> TrainStep:
    """Make what learns: a program of replicas where the models allow it and it pays, else ordinary modules.

    Args:
        trainer: The Trainer, its parts complete.
        device: Where to compute.
        found: The checkpoints that the run goes on from, if any.
        training: Whether it will learn; else it needs neither optimizer nor scheduler.

    Returns:
        The learner, its metrics named by a look at the first batch.
    """
    models, scheduler = trainer.models, trainer.scheduler if training else None
    optimizer = trainer.optimizer if training else lambda model: torch.optim.SGD(model.parameters(), lr=0.0)
    program = program_fits(trainer) and replicable(models[0], trainer.optimizer) and wants_program(trainer, found)
    compiled = program or trainer.compile is True
    regime = ComputeConfig(device, trainer.precision, trainer.clip, compiled, trainer.skip_nonfinite > 0)
    tests = iter(trainer.testsplits.values())
    sample = next(trainer.trainsplit.stream(trainer.seeds[0]) if training else next(tests).batches())
    strategy = STRATEGIES[trainer.strategy]() if trainer.world.size > 1 else SingleProcess()
    look = partial(probe, loss=trainer.loss, batch=regime.place(sample), regime=regime)
    if not isinstance(strategy, FSDP):  # a model that is sharded never lies on the device whole
        models = [model.to(device) for model in models]
    names = () if isinstance(strategy, FSDP) else look(models[0])
    parts = (models, optimizer, scheduler, trainer.loss, regime)
    learner: TrainStep
    learner = (
        VmappedReplicas(*parts) if program else EagerStep(*parts, sample=sample, world=trainer.world, strategy=strategy)
    )
    learner.names = names or look(learner.module(0))
    check_sets(trainer, learner, regime)
    return learner


def check_sets(trainer: TrainState, learner: TrainStep, regime: ComputeConfig) -> None:
    """Refuse a validation or test set that does not fit the model, by a look at its first batch.

    Args:
        trainer: Has the sets.
        learner: Has the model.
        regime: How it computes.

    Raises:
        UserError: When one does not fit; it names the set.
    """
    for split, sets in (("validation", trainer.validsplits), ("test", trainer.testsplits)):
        for name, dataset in sets.items():
            try:
                for batch in itertools.islice(dataset.batches(), 1):
                    probe(learner.module(0), trainer.loss, regime.place(batch), regime)
            except UserError as error:
                raise UserError(f"In the {split} set{f' {name}' if name else ''}: {error}") from error


def wants_program(trainer: TrainState, found: list[Path]) -> bool:
    """Whether the step is to be compiled as a program of replicas; a resumed run goes on as it began."""
    if trainer.compile != "auto":
        return bool(trainer.compile)
    if found and found[0].is_dir():
        return bool(checkpoint.read(found[0]).trainer.get("definition", {}).get("mode") == "program")
    return trainer.trainsplit is not None and trainer.last_step >= COMPILE_FROM and can_compile(trainer.device)


def can_compile(device: str) -> bool:
    """Whether steps can be compiled for the device; says so when something is lacking.

    What is compiled for CUDA (by Triton) is started by a small library in C, made with Python's headers. For other
    accelerators torch's compiler is unfinished.
    """
    kind = torch_device(device).type
    if kind not in ("cpu", "cuda"):
        return False
    own, *others = ("CXX", "g++", "clang++", "cl") if kind == "cpu" else ("CC", "gcc", "clang", "cc")
    lacking = None
    if not any(shutil.which(name) for name in (os.environ.get(own), *others) if name):
        lacking = f"compiler for {'C++' if kind == 'cpu' else 'C'} here (install {others[0]})"
    elif kind == "cuda" and not Path(sysconfig.get_path("include"), "Python.h").exists():
        lacking = "Python.h here (install python3-dev)"
    if lacking:
        warning(f"There is no {lacking}: the step stays uncompiled, and far slower.")
    return lacking is None
