"""HyperOFA: new rows that a hypernetwork has predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ofa.hypernetwork.create import matrices_of, matrix_hash
from ofa.hypernetwork.predict import read_predictions
from ofa.initialise import EmbeddingOptions, Folders, Transplant, init
from ofa.methods.similar import covered
from ofa.plan import InitContext, Kind, RowSources
from ofa.vocabulary import vocabulary_hash
from semeqv.grammar.action import action
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError
from semeqv.train.compute import Compute


@dataclass(frozen=True, kw_only=True)
class HyperOfa:
    """New rows are those that a hypernetwork has predicted.

    Args:
        predictions: Files that `cli ofa predict` has written, one for each embedding; of a model whose head has a
            matrix of its own, rows of the one that is not predicted are the mean.
    """

    name: ClassVar[str] = "hyperofa"

    predictions: tuple[Path, ...] = ()

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Take the predictions; see `Method.fill`."""
        place_predictions(row_sources, context, [Path(each) for each in self.predictions])


@action("ofa init hyperofa")
def init_hyperofa(
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    folders: Folders,
    method: HyperOfa = HyperOfa(),
    embedding: EmbeddingOptions = EmbeddingOptions(),
) -> Transplant:
    """Take new rows from a hypernetwork that predicts coordinates from word vectors (HyperOFA, step 4).

    HyperOFA (Özeren, Liu & Schütze, 2025, arXiv 2504.21018): `cli ofa mapping`, then a sentence with `cli ofa dataset
    mapping` and `cli ofa model bilstm` or `setformer` that trains, then `cli ofa predict`, then this. Tokens that both
    vocabularies have are copied, and those of no word are drawn. --keep_dim is that of the mapping.

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


def place_predictions(row_sources: RowSources, context: InitContext, paths: Sequence[Path]) -> None:
    """Let rows be predicted ones.

    Args:
        row_sources: Rows without an origin that were predicted are given one.
        context: Knows the model and the new vocabulary. Its facts are given how many subwords have words, and how many.
        paths: The files, one for each matrix.

    Raises:
        UserError: When there is none, or they are for another model, vocabulary, matrix or width.
    """
    if not paths:
        raise UserError("Say where the predictions are: --predictions FILE (cli ofa predict writes one).")
    kept = context.kept or context.embedding.shape[1]
    matrices, tokens = matrices_of(context.model), vocabulary_hash(context.target.tokenizer)
    open_rows, wanted = row_sources.open(), None
    for path in paths:
        predictions = read_predictions(path)
        rows, subwords = predictions.coordinates, predictions.subwords
        if predictions.matrix not in matrices:
            raise UserError(f"{path} predicts the {predictions.matrix} embedding; the model has none of its own.")
        if predictions.matrix in row_sources.predicted:
            raise UserError(
                f"{path} predicts the {predictions.matrix} embedding, which another file of --predictions does."
            )
        if predictions.matrix_hash != matrix_hash(matrices[predictions.matrix]):
            raise UserError(
                f"{path} is for another model ({predictions.source}); its {predictions.matrix} embedding "
                "is not this one."
            )
        if predictions.new_tokens_hash != tokens:
            raise UserError(f"{path} is for the tokens of another tokenizer ({predictions.target_tokenizer}).")
        if rows.shape[1] != kept:
            raise UserError(f"{path} predicts {rows.shape[1]} numbers for a row, which has {kept}: see --keep_dim.")
        if wanted is None:
            wanted = numpy.intersect1d(open_rows, subwords)
        if not numpy.isin(wanted, subwords).all():
            raise UserError(f"{path} predicts other tokens than {paths[0]}.")
        row_sources.predicted[predictions.matrix] = rows[torch.from_numpy(numpy.searchsorted(subwords, wanted))]
    assert wanted is not None
    old, new = predictions.degrees
    new = numpy.concatenate([new, numpy.zeros(len(row_sources.kinds) - len(new), numpy.int64)])  # rows of no token
    context.facts["words"] = {
        "source": covered(old, numpy.flatnonzero(context.source.used)),
        "target": covered(new, open_rows),
    }
    row_sources.set(wanted, Kind.PREDICTED)
