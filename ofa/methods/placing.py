"""Puts predictions into a plan."""

from collections.abc import Sequence
from pathlib import Path

import numpy
import torch

from ofa.hypernetwork.creation import matrices_of, matrix_hash
from ofa.hypernetwork.prediction import read_predictions
from ofa.methods.similarity import covered
from ofa.plan import Draft, Kind
from ofa.vocabulary import vocabulary_hash
from ofa.work import Work
from semeqv.runs.errors import UserError


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
