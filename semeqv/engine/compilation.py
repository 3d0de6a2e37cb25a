"""Compiling: what `torch.compile` is told, and how a damaged cache is got over."""

import contextlib
import ctypes
import logging
import re
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import torch

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # mallopt(3)
TRUNCATED = re.compile(r"(/[^\s:]+\.so): (?:file too short|invalid ELF header|cannot read file data)")


def compiled(function: Any, options: Mapping[str, Any] | None = None, **how: Any) -> Any:
    """A function or module that is compiled when it is first called.

    A process killed while it wrote compiled code leaves half a library in the cache of torch, which fails every later
    run; such a library is removed and made anew.

    Args:
        function: What to compile.
        options: What `torch.compile` tells its backend.
        **how: What else `torch.compile` is told.

    Returns:
        The compiled function; `_orig_mod` in it is the original.
    """
    known = {"cpp.vec_isa_ok": True} if instructions_are_known() else {}
    call: Callable[..., Any] = torch.compile(function, options={**known, **(options or {})}, **how)

    def run(*args: Any, **kwargs: Any) -> Any:
        while True:
            try:
                return call(*args, **kwargs)
            except Exception as error:
                found = TRUNCATED.search(str(error))
                if found is None or not Path(found[1]).exists():
                    raise
                click.echo(f"The compiled code in {found[1]} is damaged; it is made anew.", err=True)
                Path(found[1]).unlink()

    run._orig_mod = function  # type: ignore[attr-defined]
    return run


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
