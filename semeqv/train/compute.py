"""How steps are computed: where, with which numbers."""

import contextlib
from dataclasses import dataclass
from typing import Any

import torch

from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.train.batches import Batch

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Regime:
    """How steps are computed.

    Args:
        device: Where.
        precision: fp32, tf32, bf16 or fp16 in forward and backward passes.
        clip: Largest norm of the gradient of one replica, or None.
        compile: Whether the step is compiled.
        skip: Whether training goes on, without an update, after a step whose loss or gradient is not finite.
    """

    device: torch.device
    precision: str = "fp32"
    clip: float | None = None
    compile: bool = False
    skip: bool = False

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The context of a forward pass."""
        if self.precision not in AUTOCAST:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, AUTOCAST[self.precision])

    def place(self, batch: Batch) -> Batch:
        """A batch on the device."""
        if self.device.type == "cpu":
            return batch
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}


def float64_device(name: str) -> torch.device:
    """The device of a name, as `torch_device` finds it; the CPU in place of one without float64, as MPS is."""
    device = torch_device(name)
    return torch.device("cpu") if device.type == "mps" else device


def torch_device(name: str, world: World | None = None, option: str = "--device") -> torch.device:
    """The device of a name.

    Args:
        name: cpu, or a kind of accelerator (cuda, mps, xpu) with or without a number (cuda:1), or auto for CUDA where
            there is some, else the CPU.
        world: The processes of the run; each has a CUDA device for itself.
        option: Where the name was said, for the message.

    Returns:
        The device.

    Raises:
        UserError: When torch sees no such device, or too few for the processes.
    """
    device = torch.device("cuda" if name == "auto" and torch.cuda.is_available() else name.replace("auto", "cpu"))
    if device.type == "cpu":
        return device
    if device.type != "cuda":
        if not torch.get_device_module(device).is_available():
            raise UserError(f"{option} {name}: torch sees no such device here.")
        if world and world.size > 1:
            raise UserError(f"{option} {name}: several processes compute on CUDA devices or on the CPU alone.")
        return device
    if world and world.size > 1:
        if device.index is not None:
            raise UserError(f"{option} {name} is one device, but there are {world.size} processes; say --device cuda.")
        device = torch.device("cuda", world.local_rank)
    if not (torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()):
        which = f" for process {device.index} of this machine" if world and world.size > 1 else ""
        raise UserError(f"{option} {name}: torch sees {torch.cuda.device_count()} CUDA devices here{which}.")
    return device
