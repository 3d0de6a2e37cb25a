"""The arrays that the code of OFA's and HyperOFA's authors writes."""

from pathlib import Path
from typing import Any

import numpy
import torch

from ofa.conversion.weights import first_line
from ofa.plan import Draft, Kind
from ofa.work import Work
from semeqv.runs.errors import UserError
from semeqv.text.models.embeddings import embedding_weights, is_tied

MATRIX, PRIMITIVES = "target_matrix.npy", "primitive_embeddings.npy"


def read_array(path: Path) -> Any:
    """Read an array that numpy saved; `UserError` when it cannot be read, or is no matrix of finite numbers."""
    try:
        found = numpy.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file.") from None
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} cannot be read as an array of numpy: {first_line(error)}") from error
    if not isinstance(found, numpy.ndarray) or found.ndim != 2 or found.dtype.kind != "f":
        raise UserError(f"{path} holds no matrix of numbers.")
    if not numpy.isfinite(found).all():
        raise UserError(f"{path} holds a number that is not finite.")
    return found.astype(numpy.float32)


def take_matrix(draft: Draft, work: Work, path: Path, primitives: Path | None) -> None:
    """Let all rows of tokens be those of a matrix.

    Args:
        draft: Is given the rows, and the primitives where they are coordinates.
        work: The model and the new vocabulary.
        path: The matrix, or the folder that holds it.
        primitives: The primitives; those beside the matrix if None.

    Raises:
        UserError: When the model has a head of its own, or the matrix another number of rows, or another width.
    """
    path = path / MATRIX if path.is_dir() else path
    reads, predicts = embedding_weights(work.model)
    if predicts is not None and not is_tied(work.model):
        raise UserError(f"{type(work.model).__name__} has a head of its own, for which {path.name} has no rows.")
    rows, width = read_array(path), reads.shape[1]
    if len(rows) != work.target.size:
        raise UserError(f"{path} has {len(rows):,} rows, the new tokenizer {work.target.size:,} tokens.")
    kept = work.kept or width
    if rows.shape[1] != kept:
        said = f"say --keep_dim {rows.shape[1]}" if rows.shape[1] < width else f"a row of the model has {width}"
        raise UserError(f"{path} has rows of {rows.shape[1]} numbers; {said}.")
    if kept < width:
        place = primitives or path.with_name(PRIMITIVES)
        shared = read_array(place)
        if shared.shape != (kept, width):
            raise UserError(f"{place} is {shared.shape}; primitives for these rows and this model are {(kept, width)}.")
        draft.primitives["input"] = torch.from_numpy(shared)
    tokens = numpy.array(sorted(work.target.tokens), numpy.int64)
    draft.set(tokens, Kind.READ)
    draft.predicted["input"] = torch.from_numpy(rows[tokens])
