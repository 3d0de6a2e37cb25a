"""Averages of what runs have measured."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal

import click

from semeqv.grammar.action import AtLeast, Positional, Result, action
from semeqv.results.statistics import mean_and_half
from semeqv.results.tables import Table, write_between
from semeqv.runs.errors import UserError
from semeqv.runs.reading import metrics_files, read_metrics


@dataclass(frozen=True)
class Scores(Result):
    """Averages of scores over runs and sets.

    Args:
        table: A row for each experiment, set (and group) and score.
        digits: Behind the decimal point, when it is shown.
    """

    table: Sequence[Row]
    digits: int = 4

    def shown(self) -> Table:
        """Return it as a table of words."""
        return Table("", HEADING, [cells(row, self.digits) for row in self.table], words=3)

    def show(self) -> None:
        """Print the table."""
        self.shown().print()

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each row; an end of an interval that is missing is None."""
        return [
            {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in each.items()}
            for each in map(asdict, self.table)
        ]


def check_scores(options: Any) -> None:
    """Refuse a group that is named twice: `ValueError`."""
    names = [group.partition("=")[0] for group in options.group]
    if len(set(names)) < len(names):
        raise ValueError("--group names one group twice.")


@action("scores", check=check_scores, record=False)
def scores(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    split: Literal["validation", "test"] = "test",
    metric: Sequence[str] = (),
    group: Sequence[str] = (),
    subsets: Path | None = None,
    markdown: Path | None = None,
    part: str = "scores",
    digits: Annotated[int, AtLeast(1, 10)] = 4,
) -> Scores:
    """Average the scores of runs over seeds, and over groups of the sets that they were measured on.

    Runs that differ by their seed alone (`42-NAME`, `43-NAME` in one folder) are one experiment. A score of a group is
    the mean over its sets, first of each run; the interval over runs is Student's, at 95%. The interval over sentences
    is the bootstrap one that each run has written, its ends averaged.

    Args:
        paths: Files metrics.jsonl, folders of runs, or folders with such folders.
        split: Which sets.
        metric: A score to show, of the experiments that have it; may be repeated. All but losses if left out.
        group: Sets to average over, such as `head=en,de`, or `all` for all sets of a run; may be repeated.
        subsets: A JSON file of lists of sets, `{"head": ["de", "fr"], "tail": ["sw"]}`; each is a group of those of its
            sets that an experiment has.
        markdown: Write the table into this Markdown page too, between the lines `<!-- PART -->` and `<!-- end -->`.
        part: Of these lines.
        digits: Digits behind the point.

    Returns:
        The averages.

    Raises:
        click.UsageError: There is no run, or (from `read_runs` and `averaged`) there are no such scores.
    """
    if not paths:
        raise click.UsageError("cli scores: give folders of runs, or files metrics.jsonl")
    groups = {}
    for each in group:
        name, _, sets = each.partition("=")
        groups[name] = tuple(filter(None, sets.split(",")))
    rows = averaged(read_runs(paths, split), tuple(metric), groups, read_subsets(subsets))
    averages = Scores(rows, digits)
    if markdown is not None:
        write_between(markdown, part, averages.shown().markdown())
    return averages


PLACE = ("epoch", "step", "split", "name")
SEEDED = re.compile(r"\d+-(.+)")
Sets = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Row:
    """A score of an experiment.

    Args:
        experiment: The folder of the experiment.
        sets: The set, or the group of sets; empty for a set without a name.
        metric: The score.
        runs: How many runs it is the mean of.
        mean: The mean.
        low: Lower end of its 95% interval over runs; NaN where there is one run.
        high: Upper end of it.
        sentences_low: Lower end of the interval over sentences, on average over runs; NaN where there is none.
        sentences_high: Upper end of it.
    """

    experiment: str
    sets: str
    metric: str
    runs: int
    mean: float
    low: float
    high: float
    sentences_low: float
    sentences_high: float


def read_runs(paths: Sequence[Path], split: str) -> dict[str, list[Sets]]:
    """Read the last scores of runs.

    Args:
        paths: Files, folders of runs, or folders with such folders.
        split: Of which sets: validation or test.

    Returns:
        For each experiment its runs: by the name of the set, score to value.

    Raises:
        click.UsageError: When there is no such file, or none in it of the split.
    """
    found = dict[str, list[Sets]]()
    for file in metrics_files(paths):
        if sets := last_scores(file, split):
            found.setdefault(experiment_of(file.parent), []).append(sets)
    if not found:
        raise click.UsageError(
            f"{', '.join(map(str, paths))}: no scores of a {split} set; end the sentence with: cli test"
        )
    return found


def last_scores(file: Path, split: str) -> Sets:
    """Read the last scores of every set of a split.

    Lines of actions that measure, such as `cli perplexity`, say in words what was measured; words are no scores.

    Args:
        file: A metrics file.
        split: The split.

    Returns:
        Score to value, by the name of the set; where languages were measured one by one, by name and language.
    """
    sets: Sets = {}
    for line in read_metrics(file):
        if line.record.get("split") == split:
            keys = [key for key in line.record if key not in (*PLACE, "loss")]
            if "measure" in line.record:
                keys = [key for key in keys if type(line.record[key]) in (int, float)]
            called = " ".join(str(line.record[key]) for key in ("name", "language") if line.record.get(key))
            sets[called] = {key: line.number_at(key) for key in keys}
    return sets


def experiment_of(run: Path) -> str:
    """The experiment of a run: its folder, without the seed that begins the name of one among several."""
    seeded = SEEDED.fullmatch(run.name)
    if not seeded:
        return str(run)
    variants = {found[1] for each in run.parent.iterdir() if each.is_dir() and (found := SEEDED.fullmatch(each.name))}
    return str(run.parent / seeded[1] if len(variants) > 1 else run.parent)


def averaged(
    runs: Mapping[str, Sequence[Sets]],
    metrics: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    parts: Mapping[str, Sequence[str]] | None = None,
) -> list[Row]:
    """Average scores over sets and runs.

    Args:
        runs: What `read_runs` found.
        metrics: Which scores, of experiments that have them; all if empty.
        groups: The sets of each group; all sets if it names none.
        parts: Groups of those of their sets that an experiment has; without a row where it has none.

    Returns:
        A row for each experiment, set (and group) and score.

    Raises:
        click.UsageError: When a run lacks a set of a group, or no experiment has a score that is asked for.
    """
    rows, seen = list[Row](), dict[str, None]()
    for experiment, each in runs.items():
        names = list(dict.fromkeys(name for run in each for name in run))
        known = {part: [name for name in listed if name in names] for part, listed in (parts or {}).items()}
        own: dict[str, Sequence[str]] = {**groups, **{part: listed for part, listed in known.items() if listed}}
        subsets = {name: (name,) for name in names} | {name: tuple(sets) or tuple(names) for name, sets in own.items()}
        for group, sets in subsets.items():
            having = each if group in own else [run for run in each if group in run]
            for run in having:
                if missing := [name for name in sets if name not in run]:
                    said = ", ".join(run) or "none"
                    raise click.UsageError(f"{experiment}: no set {missing[0]!r} for --group {group}; there is {said}")
            there = shared(having, sets)
            rows += [row(experiment, group, each, having, sets) for each in metrics or there if each in there]
            seen |= dict.fromkeys(there)
    if missing := [metric for metric in metrics if metric not in seen]:
        raise click.UsageError(f"no run has the score {missing[0]!r} of these sets; there is {', '.join(seen)}")
    return rows


def shared(runs: Sequence[Sets], sets: Sequence[str]) -> list[str]:
    """The scores that every run has of every set, without the ends of intervals."""
    every = [run[name] for run in runs for name in sets]
    names = [name for name in every[0] if all(name in each for each in every)]
    return [name for name in names if not name.endswith(("_low", "_high"))]


def row(experiment: str, group: str, metric: str, runs: Sequence[Sets], sets: Sequence[str]) -> Row:
    """The row of a score.

    Args:
        experiment: The experiment.
        group: The name of the set or the group.
        metric: The score.
        runs: Its runs.
        sets: The sets to average over.

    Returns:
        The row.
    """
    values = [fmean(run[name][metric] for name in sets) for run in runs]
    mean, half = mean_and_half(values)
    ends = (f"{metric}_low", f"{metric}_high")
    low, high = math.nan, math.nan
    if len(sets) == 1 and all(end in run[sets[0]] for run in runs for end in ends):
        low, high = (fmean(run[sets[0]][end] for run in runs) for end in ends)
    return Row(experiment, group, metric, len(values), mean, mean - half, mean + half, low, high)


def read_subsets(path: Path | None) -> Mapping[str, list[str]]:
    """Lists of languages by name.

    Args:
        path: A JSON file; None for none.

    Returns:
        The lists.

    Raises:
        UserError: When it is no such file.
    """
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(each, list) and all(isinstance(word, str) for word in each) for each in found.values()):
            return dict(found)
    except OSError as error:
        raise UserError(f"--subsets {path}: {error.strerror}.") from error
    except (ValueError, AttributeError, RecursionError):
        pass
    raise UserError(f'--subsets {path} holds no lists of languages: {{"head": ["deu", "fra"], "tail": ["kab"]}}.')


HEADING = ("experiment", "sets", "score", "runs", "mean", "over runs", "over sentences")


def cells(row: Row, digits: int) -> list[str]:
    """A row as it is shown."""
    return [
        row.experiment,
        row.sets,
        row.metric.replace("_", " "),
        str(row.runs),
        f"{row.mean:.{digits}f}",
        interval(row.low, row.high, digits),
        interval(row.sentences_low, row.sentences_high, digits),
    ]


def interval(low: float, high: float, digits: int) -> str:
    """An interval as it is shown; nothing where there is none."""
    return "" if math.isnan(low) else f"[{low:.{digits}f}, {high:.{digits}f}]"
