"""Writes safetensors a chunk at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from crosslingual.safetensors_reader import Entry, Numbers, lay_out
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text

SHARD = 5 * 10**9  # bytes of a file, as transformers has it
LARGEST_F16 = 65504.0


def rounded(numbers: Numbers, dtype: str) -> Any:
    """Round fp32 to what a tensor is stored in: to the nearest, and to the even one of two that are as near.

    Args:
        numbers: fp32, which may be overwritten.
        dtype: F32, F16 or BF16.

    Returns:
        An array of the same numbers; bf16 as uint16.

    Raises:
        UserError: When a finite number is too large for fp16.
    """
    if dtype == "F32":
        return numbers
    if dtype == "F16":
        with numpy.errstate(over="ignore"):
            half = numbers.astype(numpy.float16)
        if (numpy.isinf(half) & numpy.isfinite(numbers)).any():
            raise UserError(f"A number is beyond {LARGEST_F16:,.0f}, where fp16 ends; write fp32: --dtype float32.")
        return half
    lost = numpy.isnan(numbers)
    bits = numbers.view(numpy.uint32)
    bits += ((bits >> 16) & numpy.uint32(1)) + numpy.uint32(0x7FFF)
    short = (bits >> 16).astype(numpy.uint16)
    short[lost] = 0x7FC0
    return short


def write_tensors(
    folder: Path, stem: str, entries: Mapping[str, Entry], pieces: Callable[[str], Iterable[Any]], shard: int = SHARD
) -> None:
    """Write tensors as `STEM.safetensors`, or as shards with an index.

    Args:
        folder: Where to.
        stem: How the files are called, `model`.
        entries: What to write, by name.
        pieces: The bytes of a tensor, as arrays, in their order.
        shard: The most bytes of tensors in a file; a tensor of more has a file of its own.
    """
    parts: list[dict[str, Entry]] = [{}]
    room = shard
    for name, entry in entries.items():
        if parts[-1] and entry.size > room:
            parts.append({})
            room = shard
        parts[-1][name] = entry
        room -= entry.size
    files = [f"{stem}.safetensors"]
    if len(parts) > 1:
        files = [f"{stem}-{place:05d}-of-{len(parts):05d}.safetensors" for place in range(1, len(parts) + 1)]
    for file, part in zip(files, parts):
        before, ordered = lay_out(part.items())
        with open(folder / file, "wb", buffering=0) as stream:
            write_all(stream, before)
            for name in ordered:
                for piece in pieces(name):
                    write_all(stream, piece)
    if len(parts) > 1:
        places = {name: file for file, part in zip(files, parts) for name in part}
        total = sum(entry.size for entry in entries.values())
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        write_text(folder / f"{stem}.safetensors.index.json", json.dumps(index, indent=2) + "\n")


def write_all(stream: Any, piece: Any) -> None:
    """Write all bytes of an array, however few the system takes at once."""
    rest = memoryview(piece).cast("B") if len(piece) else memoryview(b"")
    while rest:
        rest = rest[stream.write(rest) :]
