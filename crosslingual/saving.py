"""Writes vectors and models, computing them as they are written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosslingual.open import VECTOR
from crosslingual.safetensors_reader import CHUNK, FLOATING, Entry, chunks
from crosslingual.safetensors_writer import SHARD, rounded, write_tensors
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing, write_text

if TYPE_CHECKING:
    from crosslingual.algebra import Checkpoint, TaskVector
    from crosslingual.safetensors_reader import Numbers

MERGE = "merge.json"
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


def save_vector(vector: TaskVector, folder: Path, *, overwrite: bool = False, shard: int | None = None) -> None:
    """Write a vector: see `TaskVector.save`."""
    refuse_existing(folder, overwrite, VECTOR)
    expression, body = vector.expression, vector.body
    entries = {name: Entry("F32", entry.shape) for name, entry in body.entries.items() if expression.covers(name)}

    def pieces(name: str) -> Iterator[Any]:
        for place, count in chunks(entries[name].count):
            yield finite(expression.chunk(name, place, count), name, vector.formula)

    said = {
        "what": "a task vector: what training has changed in the body of a model; zero where a tensor is not stored",
        "formula": vector.formula,
        "model_type": body.kind,
        "vocabulary": body.vocabulary,
        "stored": len(entries),
        "tensors": {name: {"dtype": entry.dtype, "shape": list(entry.shape)} for name, entry in body.entries.items()},
    }
    with output_folder(folder) as temporary:
        write_tensors(temporary, "vector", entries, pieces, shard or SHARD)
        write_text(temporary / VECTOR, json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def save_checkpoint(
    model: Checkpoint, folder: Path, *, overwrite: bool = False, shard: int | None = None, dtype: str | None = None
) -> None:
    """Write a model: see `Checkpoint.save`.

    Args:
        model: The model.
        folder: Where to.
        overwrite: Replace a folder that this has written.
        shard: The most bytes of a file.
        dtype: A precision for all tensors of floating-point numbers, those of the head too.

    Raises:
        UserError: When it cannot be written, or a number is too large for the precision.
    """
    refuse_existing(folder, overwrite, MERGE)
    if dtype is not None and dtype not in DTYPES:
        raise UserError(f"--dtype {dtype}: write {', '.join(DTYPES)}.")
    weights, canonical = model.frame.weights, {stored: name for name, stored in model.frame.names.items()}
    tied = model.frame.copies()
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
                numbers = finite(model.expression.chunk(canonical[name], place, count), name, model.formula)
            else:
                numbers = weights.read(name, place * CHUNK, count)
            yield rounded(numbers, wanted)

    copied = [name for name in entries if name not in canonical]
    said = {
        "formula": model.formula,
        "computed": len(canonical),
        "copied from the first model": copied,
        "left out, as tied": sorted(tied),
        "precision": "computed in fp32, rounded to the nearest when written",
    }
    with output_folder(folder) as temporary:
        write_tensors(temporary, "model", entries, pieces, shard or SHARD)
        for file in sorted({file for pattern in BESIDE for file in model.frame.folder.glob(pattern) if file.is_file()}):
            shutil.copyfile(file, temporary / file.name)
        if dtype is not None:
            config = {name: value for name, value in model.frame.config.items() if name != "torch_dtype"}
            text = json.dumps(config | {"dtype": dtype}, indent=2, sort_keys=True, ensure_ascii=False)
            write_text(temporary / "config.json", text + "\n")
        write_text(temporary / MERGE, json.dumps(said, indent=2, ensure_ascii=False) + "\n")


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
