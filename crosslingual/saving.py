"""Writes vectors and models, computing them as they are written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crosslingual.body import Body, Frame
from crosslingual.expressions import Expression
from crosslingual.safetensors_reader import CHUNK, FLOATING, Entry, Numbers, chunks
from crosslingual.safetensors_writer import SHARD, rounded, write_tensors
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing, write_text

VECTOR, MERGE = "vector.json", "merge.json"  # what a folder says of itself
DTYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}
BESIDE = (
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "merges.txt",
    "*.model",
    "*.tiktoken",
    "*.jinja",
)


def save_vector(
    expression: Expression,
    body: Body,
    formula: str,
    folder: Path,
    *,
    overwrite: bool = False,
    shard: int | None = None,
) -> None:
    """Write a vector to a folder: vector.safetensors in fp32, and vector.json.

    Args:
        expression: How it is computed.
        body: The tensors that it is about; one that the expression does not cover is zero, and not written.
        formula: How it came about, in words.
        folder: Where to; it appears in one piece.
        overwrite: Replace a vector that is there.
        shard: The most bytes of a file; 5 GB if left out. `UserError` is raised when it cannot be written, or a number
            is not finite.
    """
    refuse_existing(folder, overwrite, VECTOR)
    entries = {name: Entry("F32", entry.shape) for name, entry in body.entries.items() if expression.covers(name)}

    def pieces(name: str) -> Iterator[Any]:
        for place, count in chunks(entries[name].count):
            yield finite(expression.chunk(name, place, count), name, formula)

    description = {
        "what": "a task vector: what training has changed in the body of a model; zero where a tensor is not stored",
        "formula": formula,
        "model_type": body.kind,
        "vocabulary": body.vocabulary,
        "stored": len(entries),
        "tensors": {name: {"dtype": entry.dtype, "shape": list(entry.shape)} for name, entry in body.entries.items()},
    }
    with output_folder(folder) as temporary:
        write_tensors(temporary, "vector", entries, pieces, shard or SHARD)
        write_text(temporary / VECTOR, json.dumps(description, indent=2, ensure_ascii=False) + "\n")


def save_model(
    expression: Expression,
    frame: Frame,
    formula: str,
    folder: Path,
    *,
    overwrite: bool = False,
    shard: int | None = None,
    dtype: str | None = None,
) -> None:
    """Write a model to a folder that `from_pretrained` opens: weights, configuration, tokenizer, and merge.json.

    Args:
        expression: How its body is computed.
        frame: The folder that it has all the rest of.
        formula: How it came about, in words.
        folder: Where to; it appears in one piece.
        overwrite: Replace a folder that this has written.
        shard: The most bytes of a file; 5 GB if left out.
        dtype: A precision for all tensors of floating-point numbers, those of the head too.

    Raises:
        UserError: When it cannot be written, a number is not finite, or too large for the precision.
    """
    refuse_existing(folder, overwrite, MERGE)
    if dtype is not None and dtype not in DTYPES:
        raise UserError(f"--dtype {dtype}: write {', '.join(DTYPES)}.")
    weights, canonical = frame.weights, {stored: name for name, stored in frame.names.items()}
    tied = frame.copies()
    entries = {
        name: Entry(DTYPES[dtype] if dtype and entry.dtype in FLOATING else entry.dtype, entry.shape)
        for name, entry in weights.entries.items()
        if name not in tied
    }

    def pieces(name: str) -> Iterator[Any]:
        wanted, there = entries[name].dtype, weights.entries[name].dtype
        if name not in canonical and wanted == there:
            yield from weights.pieces(name)
            return
        for place, count in chunks(entries[name].count):
            if name in canonical:
                numbers = finite(expression.chunk(canonical[name], place, count), name, formula)
            else:
                numbers = weights.read(name, place * CHUNK, count)
            yield rounded(numbers, wanted)

    description = {
        "formula": formula,
        "computed": len(canonical),
        "copied from the first model": [name for name in entries if name not in canonical],
        "left out, as tied": sorted(tied),
        "precision": "computed in fp32, rounded to the nearest when written",
    }
    with output_folder(folder) as temporary:
        write_tensors(temporary, "model", entries, pieces, shard or SHARD)
        for file in sorted({file for pattern in BESIDE for file in frame.folder.glob(pattern) if file.is_file()}):
            shutil.copyfile(file, temporary / file.name)
        if dtype is not None:
            config = {name: value for name, value in frame.config.items() if name != "torch_dtype"}
            text = json.dumps(config | {"dtype": dtype}, indent=2, sort_keys=True, ensure_ascii=False)
            write_text(temporary / "config.json", text + "\n")
        write_text(temporary / MERGE, json.dumps(description, indent=2, ensure_ascii=False) + "\n")


def finite(numbers: Numbers, name: str, formula: str) -> Numbers:
    """Refuse numbers that are infinite or none at all.

    Args:
        numbers: Some numbers of a tensor.
        name: The tensor.
        formula: What was computed.

    Returns:
        The numbers.

    Raises:
        UserError: When one is not finite.
    """
    if not numpy.isfinite(numbers).all():
        raise UserError(
            f"{formula} has a number in {name!r} that is not finite: a model of it has diverged or is damaged."
        )
    return numbers
