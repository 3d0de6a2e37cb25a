"""From the metrics of runs to means over them."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from backpack.measures import MEASURES
from semeqv.results.statistics import mean_and_half
from semeqv.runs.reading import Line, metrics_files, read_metrics

Key = tuple[str, str, tuple[str, ...], str]  # the model, the measure, of what, which number


@dataclass(frozen=True)
class Average:
    """A number, over runs.

    Args:
        model: The kind of model: what follows the seed in the name of the folder.
        measure: What was measured, one of `MEASURES`.
        of: Of what: a language, a kind of words, a way to part.
        number: Which number.
        runs: The value of each run.
        mean: Their mean.
        half: Half the width of its interval; None where there is one run.
    """

    model: str
    measure: str
    of: tuple[str, ...]
    number: str
    runs: list[float]
    mean: float
    half: float | None


def read_measured(paths: Sequence[Path]) -> Mapping[Key, list[float]]:
    """Read what was measured of runs.

    Args:
        paths: Folders of runs, or of folders of runs.

    Returns:
        The values of the runs, in their order; of what was measured several times in a run, the last.

    Raises:
        click.UsageError: When a folder has no run, or nothing was measured.
    """
    found: dict[Key, list[float]] = defaultdict(list)
    for file in metrics_files(paths):
        values = dict[Key, float]()
        for line in read_metrics(file):
            values |= numbers_of(line, file.parent.name.partition("-")[2] or file.parent.name)
        for key, value in values.items():
            found[key].append(value)
    if not found:
        raise click.UsageError(f"{', '.join(map(str, paths))}: nothing of {', '.join(MEASURES)} was measured")
    return found


def numbers_of(line: Line, model: str) -> dict[Key, float]:
    """The numbers of a line of metrics; none when it is of something else."""
    measure = str(line.record.get("measure"))
    if measure not in MEASURES:
        return {}
    known = MEASURES[measure]
    of = tuple(str(line.record.get(field)) for field in known.of)
    return {(model, measure, of, name): line.number_at(name) for name in known.numbers if name in line.record}


def averages(measured: Mapping[Key, Sequence[float]]) -> list[Average]:
    """The means, in the order in which they were met; intervals are Student's, at 95%."""
    rows = []
    for key, values in measured.items():
        mean, half = mean_and_half(values)
        rows.append(Average(*key, list(values), mean, None if math.isnan(half) else half))
    return rows
