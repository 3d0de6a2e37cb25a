"""Puts predictions into a plan."""

from collections.abc import Sequence
from pathlib import Path

import numpy
import torch

from ofa.hypernetwork.prediction import read_predictions
from ofa.plan import Draft, Kind
from ofa.work import Work
from semeqv.engine.errors import UserError


def place_predictions(draft: Draft, work: Work, paths: Sequence[Path]) -> None:
    """Let rows be predicted ones.

    Args:
        draft: Rows without an origin that were predicted are given one.
        work: Knows the width of a row.
        paths: The files, one for each matrix.

    Raises:
        UserError: When there is none, or they do not fit.
    """
    if not paths:
        raise UserError("Say where the predictions are: --predictions FILE (cli ofa predict writes one).")
    kept = work.kept or work.embedding.shape[1]
    open_rows, wanted = draft.open(), None
    for path in paths:
        name, subwords, rows = read_predictions(path)
        if rows.shape[1] != kept:
            raise UserError(f"{path} predicts {rows.shape[1]} numbers for a row, which has {kept}: see --keep_dim.")
        if len(subwords) and int(subwords.max()) >= len(draft.kinds):
            raise UserError(f"{path} predicts tokens that the new vocabulary does not have.")
        if wanted is None:
            wanted = numpy.intersect1d(open_rows, subwords)
        if not numpy.isin(wanted, subwords).all():
            raise UserError(f"{path} predicts other tokens than {paths[0]}.")
        draft.predicted[name] = rows[torch.from_numpy(numpy.searchsorted(subwords, wanted))]
    assert wanted is not None
    draft.set(wanted, Kind.PREDICTED)
