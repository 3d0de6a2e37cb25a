"""Rows that OFA's or HyperOFA's own code has made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ofa.conversion.matrices import MATRIX, PRIMITIVES, read_array
from ofa.initialise import EmbeddingOptions, Folders, Transplant, init
from ofa.plan import InitContext, Kind, RowSources
from semeqv.grammar.action import action
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError
from semeqv.text.models.embeddings import embedding_weights, is_tied
from semeqv.train.compute import Compute


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """All rows are those of a file.

    Args:
        matrix: The file, or the folder that holds it; a row for each token of --target_tokenizer.
        primitives: The primitives of coordinates; `primitive_embeddings.npy` beside the matrix if left out.
    """

    name: ClassVar[str] = "matrix"

    matrix: Path
    primitives: Path | None = None

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Take the rows; see `Method.fill`."""
        primitives = None if self.primitives is None else Path(self.primitives)
        take_matrix(row_sources, context, Path(self.matrix), primitives)


@action("ofa init matrix")
def init_matrix(
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    folders: Folders,
    method: Matrix,
    embedding: EmbeddingOptions = EmbeddingOptions(),
) -> Transplant:
    """Take all rows from `target_matrix.npy`, which the code of OFA's and HyperOFA's authors writes.

    A matrix as wide as the model is its new embedding. A narrower one holds coordinates, of the primitives in
    `primitive_embeddings.npy`; say its width by --keep_dim. The head keeps the bias of a token that both vocabularies
    have; new ones have the mean.

    Args:
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.
        folders: What is opened, and where the new model is written.
        method: Options of the method.
        embedding: What the new embedding is like.

    Returns:
        The new model, and where its rows come from.
    """
    return init(method, folders, embedding, seed, compute)


def take_matrix(row_sources: RowSources, context: InitContext, path: Path, primitives: Path | None) -> None:
    """Let all rows of tokens be those of a matrix.

    Args:
        row_sources: Is given the rows, and the primitives where they are coordinates.
        context: The model and the new vocabulary.
        path: The matrix, or the folder that holds it.
        primitives: The primitives; those beside the matrix if None.

    Raises:
        UserError: When the model has a head of its own, or the matrix another number of rows, or another width.
    """
    path = path / MATRIX if path.is_dir() else path
    reads, predicts = embedding_weights(context.model)
    if predicts is not None and not is_tied(context.model):
        raise UserError(f"{type(context.model).__name__} has a head of its own, for which {path.name} has no rows.")
    rows, width = read_array(path), reads.shape[1]
    if len(rows) != context.target.size:
        raise UserError(f"{path} has {len(rows):,} rows, the new tokenizer {context.target.size:,} tokens.")
    kept = context.kept or width
    if rows.shape[1] != kept:
        hint = f"say --keep_dim {rows.shape[1]}" if rows.shape[1] < width else f"a row of the model has {width}"
        raise UserError(f"{path} has rows of {rows.shape[1]} numbers; {hint}.")
    if kept < width:
        place = primitives or path.with_name(PRIMITIVES)
        shared = read_array(place)
        if shared.shape != (kept, width):
            raise UserError(f"{place} is {shared.shape}; primitives for these rows and this model are {(kept, width)}.")
        row_sources.primitives["input"] = torch.from_numpy(shared)
    tokens = numpy.array(sorted(context.target.tokens), numpy.int64)
    row_sources.set(tokens, Kind.READ)
    row_sources.predicted["input"] = torch.from_numpy(rows[tokens])
