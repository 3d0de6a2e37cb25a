"""HyperOFA: rows that a hypernetwork has predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ofa.hypernetwork.create import matrices_of, matrix_hash
from ofa.hypernetwork.predict import read_predictions
from ofa.methods.method import Method
from ofa.methods.similar import covered
from ofa.plan import Draft, Kind, Work
from ofa.vocabulary import vocabulary_hash
from semeqv.grammar.component import component
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError

if TYPE_CHECKING:
    from ofa.plan import Draft, Work


@component("ofa init hyperofa")
@dataclass(frozen=True, kw_only=True)
class HyperOfa(Method):
    """Take new rows from a hypernetwork that predicts coordinates from word vectors (HyperOFA, step 4).

    HyperOFA (Özeren, Liu & Schütze, 2025, arXiv 2504.21018): `cli ofa mapping`, then a sentence with `cli ofa dataset
    mapping` and `cli ofa model bilstm` or `setformer` that trains, then `cli ofa predict`, then this. Tokens that both
    vocabularies have are copied, and those of no word are drawn. --keep_dim is that of the mapping.

    Args:
        predictions: Files that `cli ofa predict` has written, one for each embedding; of a model whose head has a
            matrix of its own, rows of the one that is not predicted are the mean.
    """

    predictions: tuple[Path, ...] = ()

    def draft(self, draft: Draft, work: Work) -> None:
        """Take the predictions.

        Args:
            draft: Is given the origins.
            work: Both vocabularies.
        """

        place_predictions(draft, work, self.predictions)


def place_predictions(draft: Draft, work: Work, paths: Sequence[Path]) -> None:
    """Let rows be predicted ones.

    Args:
        draft: Rows without an origin that were predicted are given one.
        work: Knows the model and the new vocabulary. Its facts are told how many subwords have words, and how many.
        paths: The files, one for each matrix.

    Raises:
        UserError: When there is none, or they are for another model, vocabulary, matrix or width.
    """
    if not paths:
        raise UserError("Say where the predictions are: --predictions FILE (cli ofa predict writes one).")
    kept = work.kept or work.embedding.shape[1]
    matrices, tokens = matrices_of(work.model), vocabulary_hash(work.target.tokenizer)
    open_rows, wanted = draft.open(), None
    for path in paths:
        said = read_predictions(path)
        rows, subwords = said.coordinates, said.subwords
        if said.matrix not in matrices:
            raise UserError(f"{path} predicts the {said.matrix} embedding; the model has none of its own.")
        if said.matrix in draft.predicted:
            raise UserError(f"{path} predicts the {said.matrix} embedding, which another file of --predictions does.")
        if said.matrix_hash != matrix_hash(matrices[said.matrix]):
            raise UserError(
                f"{path} is for another model ({said.source}); its {said.matrix} embedding is not this one."
            )
        if said.new_tokens_hash != tokens:
            raise UserError(f"{path} is for the tokens of another tokenizer ({said.target_tokenizer}).")
        if rows.shape[1] != kept:
            raise UserError(f"{path} predicts {rows.shape[1]} numbers for a row, which has {kept}: see --keep_dim.")
        if wanted is None:
            wanted = numpy.intersect1d(open_rows, subwords)
        if not numpy.isin(wanted, subwords).all():
            raise UserError(f"{path} predicts other tokens than {paths[0]}.")
        draft.predicted[said.matrix] = rows[torch.from_numpy(numpy.searchsorted(subwords, wanted))]
    assert wanted is not None
    old, new = said.degrees
    new = numpy.concatenate([new, numpy.zeros(len(draft.kinds) - len(new), numpy.int64)])  # rows of no token
    work.facts["words"] = {
        "source": covered(old, numpy.flatnonzero(work.source.used)),
        "target": covered(new, open_rows),
    }
    draft.set(wanted, Kind.PREDICTED)
