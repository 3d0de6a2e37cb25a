"""From the metrics of sweeps to means over their runs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from crosslingual.choosing import CHOICE, POINT
from crosslingual.directions import NONE, OTHER
from semeqv.results.statistics import mean_and_half
from semeqv.runs.reading import Line, metrics_files, read_metrics

KEY = ("task", "model", "source", "language", "kind", "vector", "choice")
ALL = "mean of targets"


@dataclass(frozen=True)
class Number:
    """A score, or a gain, over runs.

    Args:
        mean: Its mean.
        low: Lower end of its 95% interval over runs (Student's); NaN where there is one run.
        high: Upper end of it.
        sentences_low: Lower end of the bootstrap interval over sentences, on average over runs; NaN if there is none.
        sentences_high: Upper end of it.
    """

    mean: float
    low: float
    high: float
    sentences_low: float
    sentences_high: float

    @property
    def interval(self) -> tuple[float, float]:
        """That over runs, which knows more of what is random; where there is one run, that over sentences."""
        return (self.sentences_low, self.sentences_high) if math.isnan(self.low) else (self.low, self.high)


@dataclass(frozen=True)
class Cell:
    """What was measured in one place of the table.

    Args:
        task: The task.
        model: What the model of the task was trained from.
        source: The language that it learnt the task in.
        language: The language of the test set, or `mean of targets`.
        kind: What the vector is to it: none, language, analogy, negation, unrelated, other, grid.
        vector: The vector.
        choice: How its strength was chosen.
        metric: Which score.
        runs: How many runs.
        seeds: Their seeds.
        strength: The mean strength.
        score: The score on the test set.
        gain: The score less that of the model without the vector.
    """

    task: str
    model: str
    source: str
    language: str
    kind: str
    vector: str
    choice: str
    metric: str
    runs: int
    seeds: list[int]
    strength: float
    score: Number
    gain: Number


def read_runs(paths: Sequence[Path]) -> list[Line]:
    """Read the choices that sweeps have made, and what the models without vectors have reached.

    Args:
        paths: Folders of runs, folders with such folders, or files metrics.jsonl.

    Returns:
        The lines; of what a run has measured several times, the last.

    Raises:
        click.UsageError: When a folder has no run, none has been swept, or two are the same run.
    """
    found = dict[tuple[str, ...], Line]()
    for file in metrics_files(paths):
        for line in read_metrics(file):
            if is_told(line.record):
                key = (*key_of(line.record), str(line.record.get("seed")))
                if (there := found.get(key)) and there.path != file:
                    raise click.UsageError(
                        f"{there.path} and {file} are both of seed {key[-1]}, {key[0]}, the model from {key[1]}: give "
                        "one of them, or sweep another model under another --label"
                    )
                found[key] = line
    if not found:
        raise click.UsageError(f"{', '.join(map(str, paths))}: nothing was swept; run cli crosslingual sweep")
    return list(found.values())


def told(records: Iterable[dict[str, Any]]) -> list[Line]:
    """What a run has just measured, as `read_runs` would read it."""
    lines = (Line(Path(), number, record) for number, record in enumerate(records, 1))
    return [line for line in lines if is_told(line.record)]


def is_told(record: Mapping[str, Any]) -> bool:
    """Whether a line is a choice, or the test of a model without vectors."""
    plain = record.get("measure") == POINT and record.get("kind") == NONE and record.get("part") == "test"
    return plain or record.get("measure") == CHOICE


def key_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The place of a line in the table."""
    return tuple(str(record.get(name) or "") for name in KEY)


def joined(lines: Iterable[Line]) -> list[Cell]:
    """Join what runs have measured: a cell for each place, and one for the mean over the target languages of each kind.

    Beside the mean of a kind stands that of the same languages without a vector, of which `vector` names the kind.

    Args:
        lines: Choices, and tests of models without vectors.

    Returns:
        The cells, in the order in which they were met; means over languages last.
    """
    places, means, plain = (dict[tuple[str, ...], list[Line]]() for _ in range(3))
    for line in lines:
        task, model, source, language, kind, _, choice = key = key_of(line.record)
        places.setdefault(key, []).append(line)
        if kind == NONE and language != source:
            plain.setdefault((task, model, source), []).append(line)
        elif kind != OTHER and language != source:
            means.setdefault((task, model, source, ALL, kind, "", choice), []).append(line)
    for (task, model, source, _, kind, *_), each in list(means.items()):
        languages = {line.record.get("language") for line in each}
        beside = [line for line in plain.get((task, model, source), ()) if line.record.get("language") in languages]
        means[task, model, source, ALL, NONE, kind, ""] = beside
    found = [cell(key, {i: [line] for i, line in enumerate(each)}) for key, each in places.items()]
    return found + [cell(key, whole_runs(each)) for key, each in means.items() if each]


def whole_runs(lines: Iterable[Line]) -> dict[int, list[Line]]:
    """The lines of each run; runs that lack a language that another has are left out."""
    found = dict[tuple[Path, str], list[Line]]()
    for line in lines:
        found.setdefault((line.path, str(line.record.get("seed"))), []).append(line)
    most = max(map(len, found.values()))
    return dict(enumerate(run for run in found.values() if len(run) == most))


def cell(key: tuple[str, ...], runs: Mapping[int, Sequence[Line]]) -> Cell:
    """The cell of some lines of each run; a run counts with their mean."""
    every = [line for run in runs.values() for line in run]
    metric = str(every[0].record.get("metric"))
    seeds = sorted({int(line.number_at("seed")) for line in every})
    strength = fmean(line.number_at("lambda") for line in every)
    score, gain = (number(runs, name) for name in (metric, f"{metric}_gain"))
    task, model, source, language, kind, vector, choice = key
    place = (task, model, source, language, kind, vector, choice)
    return Cell(*place, metric, len(runs), seeds, strength, score, gain)


def number(runs: Mapping[int, Sequence[Line]], name: str) -> Number:
    """A number over runs, of the lines that each has."""
    values = [fmean(line.number_at(name) for line in run) for run in runs.values()]
    mean, half = mean_and_half(values)
    low, high = math.nan, math.nan
    every = [line for run in runs.values() for line in run]
    if all(len(run) == 1 and f"{name}_low" in run[0].record for run in runs.values()):
        low, high = (fmean(line.number_at(f"{name}_{end}") for line in every) for end in ("low", "high"))
    return Number(mean, mean - half, mean + half, low, high)


def rows_of(cells: Iterable[Cell]) -> list[dict[str, Any]]:
    """The cells as flat objects: `score`, `score_low`, `score_sentences_low`, ... and the same of `gain`."""
    found = []
    for each in cells:
        row = {name: value for name, value in vars(each).items() if not isinstance(value, Number)}
        for name in ("score", "gain"):
            values = vars(getattr(each, name))
            row |= {f"{name}_{end}".removesuffix("_mean"): plain(value) for end, value in values.items()}
        found.append(row)
    return found


def cells_of(rows: Iterable[Mapping[str, Any]]) -> list[Cell]:
    """The cells of flat objects, as `rows_of` has made them."""
    names = [each.name for each in fields(Number)]
    found = []
    for row in rows:
        numbers = {
            name: Number(*(known(row[f"{name}_{end}".removesuffix("_mean")]) for end in names))
            for name in ("score", "gain")
        }
        found.append(Cell(**{each.name: row[each.name] for each in fields(Cell) if each.name in row} | numbers))
    return found


def known(value: float | None) -> float:
    """The number that JSON has; NaN where it has none."""
    return math.nan if value is None else value


def plain(value: float) -> float | None:
    """A number that JSON knows."""
    return None if math.isnan(value) else value
