"""What the runs of one experiment say together: pure functions of numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NEAR_BAYES = 0.94  # a run that gets so much of the Bayes accuracy has learned the task


@dataclass(frozen=True)
class Summary:
    """Several runs' values of one quantity; those of diverged runs are counted and left out."""

    runs: int
    diverged: int
    median: float
    mean: float
    least: float
    greatest: float


def summarise(values: Iterable[float]) -> Summary:
    """Return median, mean and range of the values that are numbers."""
    values = list(values)
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return Summary(len(values), len(values), math.nan, math.nan, math.nan, math.nan)
    return Summary(
        runs=len(values),
        diverged=len(values) - len(known),
        median=statistics.median(known),
        mean=statistics.fmean(known),
        least=min(known),
        greatest=max(known),
    )


def final_mean(values: Sequence[float], window: int) -> float:
    """Return the mean of the last records; one that is no number makes it none."""
    return statistics.fmean(values[-window:]) if values else math.nan


def learned_threshold(bayes: float) -> float:
    """Return the accuracy, to two digits, at which a run counts as having learned: .66 where .70 is possible."""
    return round(NEAR_BAYES * bayes, 2)


def count_reaching(values: Iterable[float], threshold: float) -> int:
    """Return how many values are at least the threshold."""
    return sum(value >= threshold for value in values)


def same_contexts(distribution: Sequence[float] | None) -> bool | None:
    """Tell whether the two symbols of a pair occur in the same contexts equally often.

    Args:
        distribution: How often each symbol of the pair stands for its bit; None if unknown.

    Returns:
        True where the distributional hypothesis holds for the pair; None if unknown.
    """
    if not distribution:
        return None
    return max(distribution) - min(distribution) < 1e-6 and len(distribution) > 1
