"""Curves of a metric over epochs, read from the metrics of runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.lazy import numpy, rich
from semeqv.results.statistics import t95
from semeqv.results.tables import console
from semeqv.runs.reading import RUN, Line, metrics_file, metrics_files, read_metrics, read_run, values_under


@dataclass(frozen=True)
class Curve:
    """What one run measured, epoch after epoch; both arrays (records,)."""

    label: str
    epochs: numpy.ndarray
    values: numpy.ndarray


def read_curve(path: Path, label: str, *, metric: str, split: str, name: str | None = None) -> Curve:
    """Read a metric of one run over epochs.

    Args:
        path: A metrics file, or the folder of a run.
        label: What to call the run.
        metric: The key to read. Lines without it are left out.
        split: The split to read; lines that name no split always count, those of a measure (perplexity, ...) never.
        name: Which of several data sets of that split.

    Returns:
        The curve, in the order of epochs; of two records of one epoch the later counts.

    Raises:
        click.UsageError: No line has the metric, an epoch is no number, or (from `read_metrics` and `number_at`) a
            line is no record or a value no number.
    """
    path = metrics_file(path)
    lines = [line for line in read_metrics(path) if "measure" not in line.record]
    chosen = [line for line in lines if metric in line.record and line.record.get("split") in (None, split)]
    chosen = _of_data_set(chosen, path, name)
    if not chosen:
        raise click.UsageError(f"{path}: no line has {metric!r} for the split {split!r}; {_what_there_is(lines)}")
    values = {line.number_at("epoch" if "epoch" in line.record else "step"): line.number_at(metric) for line in chosen}
    epochs = sorted(values)
    if any(not math.isfinite(epoch) for epoch in epochs):
        raise click.UsageError(f"{path}: a line has no number as its epoch")
    return Curve(label, numpy.array(epochs), numpy.array([values[epoch] for epoch in epochs]))


def running_mean(values: numpy.ndarray, window: int) -> numpy.ndarray:
    """Return, at each record, the mean of it and those before it, `window` in all (fewer at the start).

    Records that are no number are left out of the means of others; at such a record the mean is NaN too.
    """
    if window == 1:
        return values
    there = numpy.isfinite(values)
    ends = numpy.arange(1, len(values) + 1)
    starts = numpy.maximum(ends - window, 0)
    sums, counts = (numpy.cumsum([0.0, *terms]) for terms in (numpy.where(there, values, 0.0), there))
    with numpy.errstate(invalid="ignore"):
        means = (sums[ends] - sums[starts]) / (counts[ends] - counts[starts])
    return numpy.where(there, means, numpy.nan)


def bayes_accuracy(paths: Iterable[Path]) -> float | None:
    """Return the Bayes accuracy that some runs state in their run.json.

    Args:
        paths: Metrics files, or folders of runs.

    Returns:
        The accuracy, to six digits; None when no run states one.

    Raises:
        click.UsageError: Runs state different ones, or what is no number.
    """
    found: dict[float, Path] = {}
    for path in paths:
        folder = metrics_file(path).parent
        for value in values_under(read_run(folder).get("facts", {}), "bayes_accuracy"):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise click.UsageError(
                    f"{folder / RUN}: 'bayes_accuracy' should be a number from 0 to 1, not {value!r:.40}"
                )
            found.setdefault(round(value, 6), folder)
    if len(found) > 1:
        (one, here), (other, there), *_ = found.items()
        raise click.UsageError(
            f"the Bayes accuracy is {one:g} in {here} and {other:g} in {there}; draw them apart, or give --no-bayes"
        )
    return next(iter(found), None)


def _of_data_set(lines: list[Line], path: Path, name: str | None) -> list[Line]:
    names = {line.record.get("name") for line in lines if isinstance(line.record.get("name"), str | None)}
    if name is None and None not in names and len(names) > 1:
        raise click.UsageError(
            f"{path}: holds several data sets ({', '.join(sorted(map(str, names)))}); choose one with --name"
        )
    if name is None and (None in names or not names):
        return [line for line in lines if line.record.get("name") is None]
    wanted = name if name is not None else next(iter(names))
    return [line for line in lines if line.record.get("name") == wanted]


def _what_there_is(lines: list[Line]) -> str:
    """Say which splits and which numbers the lines hold."""
    splits = sorted({str(line.record["split"]) for line in lines if "split" in line.record})
    keys = sorted({key for line in lines for key, value in line.record.items() if isinstance(value, float)})
    return f"splits there: {', '.join(splits) or 'none'}; numbers there: {', '.join(keys) or 'none'}"


def folder_name(path: Path) -> str:
    """Return the name of the run folder that a path names or lies in."""
    resolved = path.resolve()
    return resolved.name if resolved.is_dir() else resolved.parent.name


def pad(runs: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """Stack curves of different lengths, (runs, records); where a run has no record stands NaN."""
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
    there = numpy.isfinite(stacked)
    count = there.sum(axis=0)
    known = numpy.where(there, stacked, 0.0)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        mean = known.sum(axis=0) / count
        squares = (numpy.where(there, stacked - mean, 0.0) ** 2).sum(axis=0)
        error = numpy.sqrt(squares / (count - 1) / count)
    factor = numpy.array([t95(int(runs) - 1) if runs > 1 else numpy.nan for runs in count])
    return mean, factor * error


def summary(values: Sequence[float]) -> tuple[str, str, str, str]:
    """Return as text how many values there are, their mean, their median, and their range.

    What is no number is the end of a run that diverged: it is counted, and named, but not averaged.
    """
    ends = numpy.asarray(values, dtype=float)
    known = ends[numpy.isfinite(ends)]
    if not len(known):
        return f"{len(ends)} (all diverged)", "-", "-", "-"
    diverged = len(ends) - len(known)
    runs = f"{len(ends)} ({diverged} diverged)" if diverged else f"{len(ends)}"
    return runs, f"{known.mean():.3f}", f"{numpy.median(known):.3f}", f"{known.min():.3f}-{known.max():.3f}"


def span(epochs: Iterable[float]) -> str:
    """Return when runs ended, as text: one epoch, or the first and the last."""
    different = sorted(set(epochs))
    return "-".join(f"{epoch:.0f}" for epoch in (different[0], different[-1])[: len(different)])


@dataclass(frozen=True)
class Ends:
    """Where the runs of a figure ended.

    Args:
        title: What was measured.
        name: What a row is about.
        rows: Of each row its label, when its runs ended, and the values they ended with.
        unit: What tells when.
    """

    title: str
    name: str
    rows: Sequence[tuple[str, str, Sequence[float]]]
    unit: str = "epoch"

    def print(self) -> None:
        """Print the table."""
        table = rich.table.Table(title=self.title, title_justify="left")
        table.add_column(self.name, overflow="fold")
        for heading in (self.unit, "runs", "mean", "median", "min-max"):
            table.add_column(heading, justify="right", no_wrap=True)
        for label, epochs, values in self.rows:
            table.add_row(label, epochs, *summary(values))
        console().print(table)

    def records(self) -> list[dict[str, Any]]:
        """Return one row for each run: what it is of, when it ended, and its value there."""
        names = (self.name, self.unit, "value")
        return [dict(zip(names, (label, ended, value))) for label, ended, values in self.rows for value in values]


def measured(paths: Sequence[Path], command: str) -> Iterator[tuple[str, str, Line]]:
    """Read the measures of runs, whose folders are called like `42-senses8`.

    Args:
        paths: Folders of runs, or of folders of runs.
        command: Who asks, for the message.

    Yields:
        The run, its kind (what follows the seed in its name), and a line of its metrics that is a measure.

    Raises:
        click.UsageError: No folder is given, or one has no run.
    """
    if not paths:
        raise click.UsageError(f"{command}: give the folder of measured runs")
    for file in metrics_files(paths):
        name = file.parent.name
        for line in read_metrics(file):
            if "measure" in line.record:
                yield name, name.partition("-")[2] or name, line
