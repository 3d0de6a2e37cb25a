"""One long table of results: a row for every number that runs have measured, read from their metrics.jsonl.

table = read("runs/backpack", "runs/control")
average(table)                                    # over runs that differ by their seed alone
compare(table, "variant", "gpt2")                 # paired by seed, with intervals, p values and Holm's correction
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semeqv.lazy import numpy, pandas, scipy
from semeqv.results.statistics import mean_and_half
from semeqv.runs.errors import UserError
from semeqv.runs.reading import metrics_files, read_metrics

PLACE = ("epoch", "step")
RUN = ("experiment", "variant", "seed", "run")
NUMBER = ("metric", "value", "low", "high")
SEEDED = re.compile(r"(\d+)-(.+)")


def read(*paths: str | Path, split: str | None = None, last: bool = True) -> pandas.DataFrame:
    """Read what runs have measured.

    Args:
        *paths: Folders of runs, folders with such folders, or files metrics.jsonl.
        split: Of which part of the data: train, validation or test; all if None.
        last: Of a number that was measured again and again while a run trained, keep the last alone.

    Returns:
        A row for every number. `experiment`, `variant`, `seed` and `run` say whose it is: the folder `runs/xor/42-lstm`
        is the run of the experiment `runs/xor` with the seed 42 and the variant `lstm`. `measure` is the action that
        measured it (`perplexity`), empty where the Trainer did; `split`, `name` and whatever else a line says in words
        or whole numbers (`language`, `of`, `senses`) have columns of their own. `metric` names the number, `value` is
        it, and `low` and `high` are its own 95% interval, NaN where there is none.

    Raises:
        UserError: When the files hold no number of the split. (`click.UsageError`, when a file cannot be read.)
    """
    rows = []
    for file in metrics_files([Path(path) for path in paths]):
        run = run_of(file.parent)
        for line in read_metrics(file):
            if split is None or line.record.get("split") == split:
                rows += numbers_of(run, line.record)
    if not rows:
        which = f" of the {split} split" if split else ""
        raise UserError(f"{', '.join(map(str, paths))}: no run has measured a number{which}.")
    table = pandas.DataFrame(rows)
    first = [name for name in (*RUN, "measure", "split", "name") if name in table]
    rest = [name for name in table if name not in (*first, *NUMBER, *PLACE)]
    table = table[[*first, *rest, *PLACE, *NUMBER]]
    if last:
        keys = [name for name in table if name not in ("value", "low", "high", *PLACE)]
        table = table.drop_duplicates(keys, keep="last")
    return table.reset_index(drop=True)


def run_of(folder: Path) -> dict[str, Any]:
    """Return whose results a folder holds: the experiment, the variant, the seed and the run.

    The folder of one run among several begins with its seed; `42-lstm` beside `43-lstm`.
    """
    seeded = SEEDED.fullmatch(folder.name)
    if not seeded:
        return {"experiment": str(folder), "variant": "", "seed": None, "run": str(folder)}
    return {"experiment": str(folder.parent), "variant": seeded[2], "seed": int(seeded[1]), "run": str(folder)}


def numbers_of(run: Mapping[str, Any], record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each number of a line: what is written with a decimal point; the rest says what it is of.

    Args:
        run: Whose it is.
        record: The line.

    Returns:
        The rows.
    """
    numbers = {key: value for key, value in record.items() if isinstance(value, float)}
    ends = {f"{key}{end}" for key in numbers for end in ("_low", "_high")} & numbers.keys()
    words = {key: value for key, value in record.items() if isinstance(value, str | int) and key not in PLACE}
    head = {**run, "measure": "", "split": None, "name": None, **words, **{key: record.get(key) for key in PLACE}}
    return [
        head
        | {"metric": key, "value": value}
        | {end: numbers.get(f"{key}_{end}", numpy.nan) for end in ("low", "high")}
        for key, value in numbers.items()
        if key not in ends
    ]


def average(table: pandas.DataFrame, by: Sequence[str] | None = None) -> pandas.DataFrame:
    """Average over runs.

    Args:
        table: What `read` returns, or some of its rows.
        by: The columns whose values tell what is averaged apart; if None, all but the run, its seed and its place.
            Rows of one run that these do not tell apart are averaged first.

    Returns:
        A row for each of them: `n` runs, their mean as `value`, and in `low` and `high` its 95% interval by Student's
        t over runs, NaN where there is one run; `own_low` and `own_high` are the means of the runs' own intervals.
    """
    by = groups_of(table) if by is None else [*by]
    check_columns(table, by)
    rows = []
    for key, group in table.groupby(by, dropna=False, sort=False):
        runs = group.groupby("run", sort=False)[["value", "low", "high"]].mean()
        mean, half = mean_and_half(runs["value"].tolist())
        rows.append(
            dict(zip(by, key))
            | {"n": len(runs), "value": mean, "low": mean - half, "high": mean + half}
            | {"own_low": runs["low"].mean(skipna=False), "own_high": runs["high"].mean(skipna=False)}
        )
    return pandas.DataFrame(rows)


def compare(table: pandas.DataFrame, column: str, baseline: Any, by: Sequence[str] | None = None) -> pandas.DataFrame:
    """Compare what differs in one column with a baseline, run by run of the same seed.

    Args:
        table: What `read` returns, or some of its rows.
        column: Such as `variant`, or `experiment`.
        baseline: The value in the column that the others are compared with.
        by: The other columns whose values are compared apart; as of `average` if None.

    Returns:
        A row for each other value: `n` pairs of runs of one seed, the mean difference as `value`, its 95% interval by
        Student's t over pairs in `low` and `high`, the `p` of the paired t test, and in `p_holm` that after Holm's
        (1979) correction for all rows. Where the runs have no seeds in common, NaN.

    Raises:
        UserError: When the column lacks the baseline.
    """
    by = [name for name in (groups_of(table) if by is None else by) if name != column]
    if column == "experiment":  # whose name the baseline has not
        by = [name for name in by if name != "run"]
    elif by and "experiment" in by and table.groupby("experiment")[column].nunique().max() <= 1:
        by = [name for name in by if name != "experiment"]
    check_columns(table, [*by, column])
    if baseline not in set(table[column]):
        known = ", ".join(map(str, dict.fromkeys(table[column])))
        raise UserError(f"No run has {baseline!r} as its {column}; there is {known}.")
    seeds = table.assign(seed=table["seed"].fillna(-1)).groupby([*by, column, "seed"], dropna=False, sort=False)
    values = seeds["value"].mean().reset_index()
    base = values[values[column] == baseline].drop(columns=column)
    both = values[values[column] != baseline].merge(base, on=[*by, "seed"], how="left", suffixes=("", "_base"))
    rows = []
    for key, group in both.groupby([*by, column], dropna=False, sort=False):
        differences = (group["value"] - group["value_base"]).dropna()
        mean, half = mean_and_half(differences.tolist()) if len(differences) else (numpy.nan, numpy.nan)
        p = (
            scipy.stats.ttest_1samp(differences, 0.0).pvalue
            if len(differences) > 1 and differences.std()
            else numpy.nan
        )
        rows.append(
            dict(zip([*by, column], key))
            | {"compared_with": baseline, "n": len(differences)}
            | {"value": mean, "low": mean - half, "high": mean + half, "p": float(p)}
        )
    found = pandas.DataFrame(rows)
    found["p_holm"] = holm(found["p"].tolist())
    return found


def holm(values: Sequence[float]) -> list[float]:
    """Correct p values of several tests by Holm's (1979) step-down method; NaN stays, and is no test.

    Args:
        values: The p values.

    Returns:
        The corrected ones, in their order.
    """
    order = sorted((p, place) for place, p in enumerate(values) if not math.isnan(p))
    corrected, most = [numpy.nan] * len(values), 0.0
    for rank, (p, place) in enumerate(order):
        most = max(most, min(1.0, p * (len(order) - rank)))
        corrected[place] = most
    return corrected


def groups_of(table: pandas.DataFrame) -> list[str]:
    """Return the columns that tell what is averaged apart: all but the run, its seed, its place and the numbers."""
    apart = [name for name in table if name not in ("run", "seed", *PLACE, "value", "low", "high")]
    return [name for name in apart if name == "metric" or table[name].nunique(dropna=False) > 1] or ["metric"]


def check_columns(table: pandas.DataFrame, names: Sequence[str]) -> None:
    """Refuse names of columns that a table has not: `UserError`."""
    if lacking := [name for name in names if name not in table]:
        raise UserError(f"No line says {lacking[0]!r}; there is {', '.join(map(str, table))}.")
