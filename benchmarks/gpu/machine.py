"""Versions, and what compiling for the device needs."""

import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.gpu.device import DEVICE, DRY
from benchmarks.gpu.rows import Row


def machine() -> Iterator[Row]:
    """Versions, and what compiling for the device needs."""
    yield Row("torch", torch.__version__)
    yield Row("device", "a dry run on the CPU" if DRY else torch.cuda.get_device_name())
    compiler = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    yield Row("C compiler", str(compiler), "there is one", compiler is not None)
    header = Path(sysconfig.get_path("include"), "Python.h").exists()
    yield Row("Python.h", str(header), "True", header)
    if not DRY:
        x = torch.randn(1000, device=DEVICE)
        yield Row("memory", f"{torch.cuda.get_device_properties(0).total_memory / 2**30:.0f} GiB")
        yield Row(
            "CUDA", f"{torch.version.cuda}, compute capability {'.'.join(map(str, torch.cuda.get_device_capability()))}"
        )
        found = float((torch.compile(lambda y: (y.sin() * 2 + 1).sum())(x) - (x.sin() * 2 + 1).sum()).abs())
        yield Row("a compiled kernel", f"{found:.1e}", "up to 1e-3 from the eager one", found < 1e-3)
