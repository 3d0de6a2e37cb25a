"""What the runs of one experiment say together: pure functions of numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semeqv.results.statistics import mean_and_half

NEAR_BAYES = 0.94  # a run that gets so much of the Bayes accuracy has learned the task
NEAR_PLATEAU = 0.02  # a run whose accuracy is no further above the plateau has learned nothing of the context


@dataclass(frozen=True)
class Summary:
    """Several runs' values of one quantity; those of diverged runs are counted and left out.

    `low` and `high` are the ends of the 95% interval of the mean (Student's t), NaN where there is one run.
    """

    runs: int
    diverged: int
    median: float
    mean: float
    least: float
    greatest: float
    low: float = math.nan
    high: float = math.nan


def summarise(values: Iterable[float]) -> Summary:
    """Return median, mean with its 95% interval, and range of the values that are numbers."""
    values = list(values)
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return Summary(len(values), len(values), math.nan, math.nan, math.nan, math.nan)
    mean, half = mean_and_half(known)
    return Summary(
        runs=len(values),
        diverged=len(values) - len(known),
        median=statistics.median(known),
        mean=mean,
        least=min(known),
        greatest=max(known),
        low=mean - half,
        high=mean + half,
    )


def decided(summary: Summary, sign: str, limit: float) -> bool | None:
    """Tell whether several runs put a quantity on one side of a limit.

    Args:
        summary: The runs.
        sign: `<` where it is claimed to be below the limit, `>` where above.
        limit: The limit.

    Returns:
        Whether the claim holds, when median, mean and the whole 95% interval of the mean lie on one side; None when
        they do not: a point estimate over a few runs decides nothing.
    """
    numbers = (summary.median, summary.low, summary.high)
    below, above = all(number < limit for number in numbers), all(number > limit for number in numbers)
    if not (below or above):
        return None
    return below if sign == "<" else above


def plateau(distributions: Iterable[Sequence[float]]) -> float:
    """Return the accuracy of always writing the symbol that is most frequent, zeros being as frequent as ones."""
    return max(max(distribution) for distribution in distributions) / 2


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
