"""How steps are computed: where, with which numbers."""

from __future__ import annotations

import contextlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.lazy import torch
from semeqv.runs.errors import UserError
from semeqv.runs.notices import notice
from semeqv.runs.processes import World
from semeqv.train.batches import Batch

AUTOCAST = {"bf16": "bfloat16", "fp16": "float16"}  # as torch calls them


@dataclass(frozen=True)
class Compute:
    """Where and how to compute, as it is asked for.

    Args:
        device: auto, cpu, cuda, cuda:N or mps; where the model is if None.
        precision: Of forward passes: auto, fp32, tf32, bf16 or fp16.
        threads: Of a CPU; all cores if None.
    """

    device: str | None = None
    precision: str = "fp32"
    threads: int | None = None


@dataclass(frozen=True)
class ComputeConfig:
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
        return torch.autocast(self.device.type, getattr(torch, AUTOCAST[self.precision]))

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


CPUINFO = Path("/proc/cpuinfo")
# By what Linux calls them: the instructions that multiply matrices of such numbers, on x86 and on ARM.
INSTRUCTIONS = {
    "bf16": {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16"},
    "fp16": {"avx512_fp16", "amx_fp16", "asimdhp"},
}


def cpu_instructions() -> set[str]:
    """Return the instruction sets of this machine's CPU as Linux names them; none where it is not Linux."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    fields = [line.partition(":") for line in lines]
    return {word for name, _, words in fields if name.strip() in ("flags", "Features") for word in words.split()}


def is_native(precision: str, device: torch.device) -> bool:
    """Return whether a device computes with such numbers itself.

    On a processor that only emulates them, matrix products are 10 to 50 times slower than in fp32.

    Args:
        precision: fp32, tf32, bf16 or fp16.
        device: The device.

    Returns:
        True for fp32; for tf32 and bf16 on CUDA from compute capability 8.0, for fp16 on any GPU; on a CPU, whether it
        has instructions for them.
    """
    if precision == "fp32":
        return True
    if device.type == "cuda":
        return precision == "fp16" or torch.cuda.get_device_capability(device)[0] >= 8
    if device.type == "cpu" and precision in INSTRUCTIONS:
        return bool(INSTRUCTIONS[precision] & cpu_instructions())
    return precision == "fp16"


def set_precision(precision: str) -> None:
    """Let CUDA multiply matrices of fp32 in TF32 (10 bits of the mantissa), in this process, if so asked for.

    In fp32 it does not do so in LSTMs and convolutions either, unlike the defaults of torch.
    """
    reduced = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = reduced


def be_deterministic() -> None:
    """Let torch take deterministic kernels alone, in this process; bits then do not differ from run to run on CUDA."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False


def resolve_precision(precision: str, device: torch.device) -> str:
    """Return the precision to compute in: `auto` becomes bf16 where the device computes it natively, else fp32.

    A precision that the device only emulates is used as asked for; one line on stderr says so.

    Args:
        precision: auto, fp32, tf32, bf16 or fp16.
        device: Where to compute.

    Returns:
        fp32, tf32, bf16 or fp16.

    Raises:
        UserError: When the device has no tf32.
    """
    if precision == "auto":
        return "bf16" if is_native("bf16", device) else "fp32"
    if precision == "tf32" and not is_native("tf32", device):
        raise UserError(
            f"--precision tf32 is what NVIDIA GPUs from Ampere on compute, not {device}. Write auto or fp32."
        )
    if not is_native(precision, device):
        where = f"this processor ({platform.machine()})" if device.type == "cpu" else f"this device ({device})"
        notice(f"--precision {precision} is emulated on {where}, many times slower than fp32. Write --precision auto.")
    return precision
