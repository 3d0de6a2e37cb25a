"""The mean of several runs over time, and how sure one can be of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semeqv.results.statistics import t95

if TYPE_CHECKING:
    import numpy


def pad(runs: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """Stack curves of different lengths, (runs, records); where a run has no record stands NaN."""
    import numpy

    stacked = numpy.full((len(runs), max(len(run) for run in runs)), numpy.nan)
    for row, run in zip(stacked, runs):
        row[: len(run)] = run
    return stacked


def mean_and_halfwidth(stacked: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Return the mean over the runs that have a record, and half its 95% confidence interval by Student's t.

    Args:
        stacked: Curves, (runs, records), NaN where there is no record.

    Returns:
        Two curves, (records,). Where fewer than two runs have a record, the second is NaN.
    """
    import numpy

    there = numpy.isfinite(stacked)
    count = there.sum(axis=0)
    known = numpy.where(there, stacked, 0.0)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        mean = known.sum(axis=0) / count
        squares = (numpy.where(there, stacked - mean, 0.0) ** 2).sum(axis=0)
        error = numpy.sqrt(squares / (count - 1) / count)
    factor = numpy.array([t95(int(runs) - 1) if runs > 1 else numpy.nan for runs in count])
    return mean, factor * error
