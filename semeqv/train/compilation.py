"""Compiling: what `torch.compile` is told, and how a damaged cache is got over."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import os
import struct
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from semeqv.lazy import torch
from semeqv.runs.notices import warning

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # mallopt(3)


def compiled(function: Any, options: Mapping[str, Any] | None = None, **how: Any) -> Any:
    """A function or module that is compiled when it is first called.

    Args:
        function: What to compile.
        options: What `torch.compile` tells its backend.
        **how: What else `torch.compile` is told.

    Returns:
        The compiled function.
    """
    remove_damaged_code()
    known = {"cpp.vec_isa_ok": True} if instructions_are_known() else {}
    return torch.compile(function, options={**known, **(options or {})}, **how)


@functools.cache
def remove_damaged_code() -> None:
    """Remove compiled libraries that are shorter than they say from the cache of torch.

    A machine that fails while one is written leaves such a library there, and every later run that loads it dies of a
    bus error. One that another process is writing at the moment is let alone.
    """
    cache = Path(torch._inductor.runtime.cache_dir_utils.cache_dir())
    for library in cache.rglob("*.so"):
        if is_cut_short(library):
            with contextlib.suppress(OSError, Timeout):
                lock = cache / "locks" / f"{library.name.partition('.')[0]}.lock"
                with FileLock(lock, timeout=0):
                    library.unlink()
                warning(f"The compiled code in {library} is damaged; it is made anew.")


def is_cut_short(library: Path) -> bool:
    """Whether a library ends before its table of sections, which comes last (ELF 64: offsets 40, 58 and 60)."""
    try:
        with open(library, "rb") as file:
            header, size = file.read(64), os.fstat(file.fileno()).st_size
    except OSError:
        return False
    if header[:5] != b"\x7fELF\x02":
        return sys.platform == "linux" and not header.startswith(b"\x7fELF")
    if len(header) < 64:
        return True
    (table,), (entry, entries) = struct.unpack_from("<Q", header, 40), struct.unpack_from("<HH", header, 58)
    return bool(size < table + entry * entries)


def compiled_program(method: Callable[..., Any]) -> Any:
    """A method of an object of which nothing but the batch ever changes shape, compiled as one graph."""
    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)  # it warns of the optimizer's profiler mark
    keep_memory()
    options = {"guard_filter_fn": keep_batch_guards}
    return compiled(own_copy(method), options, fullgraph=True, dynamic=False)


def own_copy(method: Any) -> Any:
    """A bound method with code of its own: compiled programs are remembered by code, and this one is for one object."""
    function = method.__func__
    copied = types.FunctionType(function.__code__.replace(), function.__globals__, function.__name__)
    return types.MethodType(copied, method.__self__)


def instructions_are_known() -> bool:
    """Whether torch has found the vector instructions of this processor, so that trying them out by compiling programs
    for each, which takes ten seconds, tells nothing new. (Matrix tiles, AMX, need the kernel's leave too.)
    """
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            tiles = "amx_tile" in file.read()
    except OSError:
        return False
    return torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512") and not tiles


def keep_memory() -> None:
    """Let the C library keep freed memory: a step allocates the same megabytes again, at 0.5 microseconds a page."""
    with contextlib.suppress(OSError, AttributeError):  # glibc only
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(MMAP_THRESHOLD, 32 << 20)
        library.mallopt(TRIM_THRESHOLD, 512 << 20)


def keep_batch_guards(guards: Sequence[Any]) -> list[bool]:
    """Of all that could change between two calls of a compiled step, look only at the shapes of the batch.

    The rest (parameters, optimizer, settings) is this module's own and never changes shape; checking it costs a tenth
    of a small step.
    """
    return [guard.guard_type == "TENSOR_MATCH" and "batch" in guard.name for guard in guards]
