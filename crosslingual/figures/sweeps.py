"""What sweeps of vectors have measured, read from the metrics of runs, and means over runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from semeqv.results.figures.measured import measured
from semeqv.results.statistics import mean_and_half
from semeqv.runs.reading import Line

POINT, CHOICE = "sweep", "sweep choice"


@dataclass(frozen=True)
class Mean:
    """The mean of a number over runs, and its 95% interval; that over sentences where there is one run.

    Args:
        value: The mean.
        low: Lower end of the interval; NaN where there is none.
        high: Upper end of it.
    """

    value: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether the interval is there and leaves out zero."""
        return self.low > 0 or self.high < 0


def read_sweeps(paths: Sequence[Path], task: str | None) -> list[Line]:
    """Read the lines of sweeps of one task.

    Args:
        paths: Folders of runs, or of folders of runs.
        task: Which; the one that there is if None.

    Returns:
        Points and choices; of what a run has measured several times, the last.

    Raises:
        click.UsageError: There is no sweep, or of several tasks none was named.
    """
    found = {
        (str(line.path), *identity(line)): line
        for _, _, line in measured(tuple(paths), "cli sweep-view")
        if line.record.get("measure") in (POINT, CHOICE)
    }
    tasks = list(dict.fromkeys(text_of(line, "task") for line in found.values()))
    wanted = task if task is not None else tasks[0] if len(tasks) == 1 else None
    lines = [line for line in found.values() if text_of(line, "task") == wanted]
    if not lines:
        known = f"there is {', '.join(tasks)}; choose one by --task" if tasks else "run cli crosslingual sweep"
        raise click.UsageError(
            f"{', '.join(map(str, paths))}: no sweep of {'one task' if task is None else task}; {known}"
        )
    return lines


def identity(line: Line) -> tuple[str, ...]:
    """What tells a line of a run from the others."""
    keys = ("measure", "choice", "task", "model", "seed", "part", "language", "kind", "vector")
    strengths = [str(line.record.get(name)) for name in ("lambda", "mu")]
    return (*(text_of(line, key) for key in keys), *([] if line.record.get("measure") == CHOICE else strengths))


def text_of(line: Line, key: str) -> str:
    """What a line says under a key; empty when it says nothing."""
    value = line.record.get(key)
    return "" if value is None else str(value)


def metric_of(lines: Sequence[Line]) -> str:
    """The score by which the strengths were chosen."""
    return text_of(lines[0], "metric") or "accuracy"


def means(
    lines: Iterable[Line], place: Callable[[Line], tuple[object, ...]], name: str
) -> dict[tuple[object, ...], Mean]:
    """The means over runs of a number of some lines.

    Args:
        lines: The lines; each run has one at most in each place.
        place: Where a line belongs.
        name: The number.

    Returns:
        By place, in the order in which they are met.
    """
    grouped: dict[tuple[object, ...], list[Line]] = {}
    for line in lines:
        grouped.setdefault(place(line), []).append(line)
    return {key: mean(each, name) for key, each in grouped.items()}


def mean(lines: Sequence[Line], name: str) -> Mean:
    """The mean of a number over runs."""
    values = [line.number_at(name) for line in lines]
    value, half = mean_and_half(values)
    if math.isnan(half) and f"{name}_low" in lines[0].record:
        return Mean(value, lines[0].number_at(f"{name}_low"), lines[0].number_at(f"{name}_high"))
    return Mean(value, value - half, value + half)
