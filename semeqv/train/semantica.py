"""Goes on from a checkpoint of the tied-embedding study's original code (Semantica): `modelbest.pt`, `modellast.pt`.

Such a file is a pickle of `torch.save`, with the keys `model` (the weights), `optimsd` (the state of Adam or AdamW),
`epoch`, `value` and `bestv` (accuracy and loss). It knows no scheduler, and its random numbers are of no use here.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.lazy import torch
from semeqv.runs.errors import UserError
from semeqv.train.replicas import VmappedReplicas
from semeqv.train.state import TrainState

KEYS = ("model", "optimsd", "epoch", "value", "bestv")
MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Foreign:
    """What such a file holds.

    Args:
        weights: By their names there, in the order of that program's parameters; a tied matrix has two names.
        moments: What Adam knows of each parameter, in the same order, each matrix once; empty before its first step.
        epochs: Epochs that are complete.
        value: Accuracy and loss of the last validation.
        best: Those of the best one.
    """

    weights: dict[str, torch.Tensor]
    moments: list[Mapping[str, Any]]
    epochs: int
    value: tuple[float, float]
    best: tuple[float, float]


def read(path: Path, allow_pickle: bool, device: str) -> Foreign:
    """Read a checkpoint of the original code.

    Args:
        path: The file.
        allow_pickle: Whether to open it at all.
        device: Where the tensors go.

    Returns:
        What it holds.

    Raises:
        UserError: When it is not to be opened, would run code, or is no such checkpoint.
    """
    if not allow_pickle:
        raise UserError(f"{path} is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code.")
    try:
        found = torch.load(path, map_location=device, weights_only=True)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} is no file of torch.save, or holds more than tensors and plain values: it is not opened."
        ) from error
    except Exception as error:  # a damaged file fails in ways of its own
        raise UserError(f"{path} is no file of torch.save: {first_line(error)}.") from error
    lacking = [key for key in KEYS if not (isinstance(found, dict) and key in found)]
    if lacking:
        raise UserError(
            f"{path} is no checkpoint of the study's original code, which has {', '.join(KEYS)}: it lacks "
            f"{', '.join(lacking)}."
        )
    try:
        weights = {str(name): tensor for name, tensor in found["model"].items() if isinstance(tensor, torch.Tensor)}
        order = [place for group in found["optimsd"]["param_groups"] for place in group["params"]]
        moments = [found["optimsd"]["state"][place] for place in order if place in found["optimsd"]["state"]]
        value, best = (tuple(map(float, found[key])) for key in ("value", "bestv"))
        return Foreign(weights, moments, int(found["epoch"]) + 1, (value[0], value[1]), (best[0], best[1]))
    except (TypeError, KeyError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f"{path} is no checkpoint of the study's original code ({first_line(error)}).") from error


def fitting(model: Any, path: Path, saved: Foreign) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Give the weights of such a checkpoint the names that a model has for them.

    Args:
        model: The model that is to take them over.
        path: The file, for messages.
        saved: What it holds.

    Returns:
        What the model's `load_state_dict` takes, and the names of the parameters in the order of the file.

    Raises:
        UserError: When the model is another one.
    """
    if not hasattr(model, "from_original"):
        raise UserError(f"{path} is of the study's original code, whose models {type(model).__name__} is none of.")
    weights, names = model.from_original(saved.weights)
    own = model.state_dict()
    for name, tensor in own.items():
        if name not in weights:
            raise UserError(f"{path} has no {name}: it is of another model, or of another size.")
        if weights[name].shape != tensor.shape:
            raise UserError(
                f"{path}: {name} is {tuple(weights[name].shape)} there and {tuple(tensor.shape)} here. Say the "
                "sizes of that model."
            )
    if more := weights.keys() - own.keys():
        raise UserError(
            f"{path} has {min(more)}, which this model has not: it is of another model, or of another size."
        )
    return weights, names


def restore(trainer: TrainState, path: Path, saved: Foreign) -> None:
    """Let a run go on from such a checkpoint: weights, moments of Adam, the step, and the rate of that step.

    Args:
        trainer: The Trainer of one run, its learner made.
        path: The file, for messages.
        saved: What it holds.

    Raises:
        UserError: When (from `fitting`) the model is another one, or the optimizer is.
    """
    learner = trainer.made
    weights, names = fitting(trainer.models[0], path, saved)
    trainer.step = saved.epochs * trainer.epoch_steps
    state = learner.state(0)
    if saved.moments:
        if len(saved.moments) != len(names) or not all(set(MOMENTS) <= each.keys() for each in saved.moments):
            raise UserError(f"{path}: its optimizer is no Adam, or of another model.")
        put_moments(trainer, state, dict(zip(names, saved.moments)))
    learner.load(0, weights, state)
    for scheduler in [learner.scheduler] if isinstance(learner, VmappedReplicas) else learner.schedulers:  # type: ignore[attr-defined]
        if scheduler:
            scheduler.step(trainer.step)
    click.echo(
        f"Restored {path}: {saved.epochs} epochs, accuracy {saved.value[0]:.4f}, loss {saved.value[1]:.4f}. It does "
        "not say what its data was, so that is not compared; what is sampled from here on is this program's.",
        err=True,
    )


def put_moments(trainer: TrainState, state: dict[str, Any], moments: Mapping[str, Mapping[str, Any]]) -> None:
    """Put what Adam knows of each parameter into the state of a learner.

    Args:
        trainer: Has the learner.
        state: Its state, to be changed.
        moments: By the name of the parameter; one that is not used, a tied model's output matrix, has none.

    Raises:
        UserError: When the run has another optimizer.
    """
    learner = trainer.made
    step = float(next(iter(moments.values()))["step"])

    def moment(name: str, which: str, like: torch.Tensor) -> torch.Tensor:
        return moments[name][which] if name in moments else torch.zeros_like(like)

    if isinstance(learner, VmappedReplicas):
        for flat, group in zip(state["optimizer"], learner.layout):
            if not set(MOMENTS) <= flat.keys():
                raise UserError("The checkpoint has the state of Adam. Go on with: cli optimizers adamw (or adam)")
            values = dict(trainer.models[0].named_parameters())
            for which in MOMENTS:
                flat[which] = torch.cat([moment(name, which, values[name]).flatten() for name, *_ in group])
            flat["step"] = torch.full_like(flat["step"], step)
        return
    (optimizer,) = learner.optimizers  # type: ignore[attr-defined]
    if not isinstance(optimizer, torch.optim.Adam):  # AdamW is one
        raise UserError("The checkpoint has the state of Adam. Go on with: cli optimizers adamw (or adam)")
    named = {id(parameter): name for name, parameter in trainer.models[0].named_parameters()}
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state["optimizer"]["state"] = {
        place: {"step": torch.tensor(step)}
        | {which: moment(named[id(parameter)], which, parameter) for which in MOMENTS}
        for place, parameter in enumerate(parameters)
    }


def first_line(error: Exception) -> str:
    """Write an error's kind and the first line of what it says."""
    said = (str(error).strip().splitlines() or [""])[0].partition(". ")[0].rstrip(".")
    return f"{type(error).__name__}: {said}"[:200]
