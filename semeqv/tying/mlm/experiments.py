"""Read the runs of an experiment on text."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from semeqv.runs.reading import METRICS, read_metrics, read_run
from semeqv.tying.followed import Followed, read_followed
from semeqv.tying.verdicts import run_folders, seed_and_model

KINDS = ("doubles", "random", "neighbours")
BOUND = ("facts", "dataset", "validation", "doubles", "loss without context")


@dataclass(frozen=True)
class Run:
    """One run.

    Args:
        seed: Its seed.
        steps: Steps of training, as its metrics count them.
        sentence: The sentence that runs it alone, segment by segment.
        followed: What it recorded.
        loss: Its last validation loss, in nats; None when it was not measured.
        bound: The lowest loss without a look at context, as the validation set says; None when it says nothing.
    """

    seed: int
    steps: int
    sentence: tuple[str, ...]
    followed: Followed
    loss: float | None
    bound: float | None


@dataclass(frozen=True, eq=False)
class Experiment:
    """The runs of one folder, all on the same words."""

    name: str
    runs: tuple[Run, ...]

    def where(self, *, tied: bool) -> list[Run]:
        """Return the tied or the untied runs."""
        return [run for run in self.runs if run.followed.tied == tied]

    @property
    def words(self) -> list[str]:
        """The words that have doubles."""
        followed = self.runs[0].followed
        return [followed.names[first] for first, _ in followed.pairs["doubles"]]

    def setting(self, word: str, option: str) -> str:
        """Return what the runs say of an option of a segment, such as `dataset` and `swap`; "" when they are silent."""
        found = dict.fromkeys(value for run in self.runs for value in values(run.sentence, word, option))
        return " or ".join(found)


def read_experiment(folder: Path) -> Experiment:
    """Read the folder of an experiment, whose folders are its runs, such as `42-encoder`, `42-encoderwt`.

    Args:
        folder: The folder of the experiment.

    Returns:
        The runs, in the order of their folders' names.

    Raises:
        click.UsageError: There is no run, the runs follow different words, or a file is missing or wrong.
    """
    runs = tuple(read_one(path) for path in run_folders(folder, "runs/mlm-babel/42-encoder"))
    if len({(*run.followed.names, str(run.followed.pairs)) for run in runs}) > 1:
        raise click.UsageError(f"{folder}: its runs follow different words; put runs of one problem in a folder")
    return Experiment(folder.resolve().name, runs)


def read_one(folder: Path) -> Run:
    """Read one run.

    Args:
        folder: Its folder.

    Returns:
        The run.

    Raises:
        click.UsageError: It follows no words and doubles, or a file is missing or wrong.
    """
    followed = read_followed(folder)
    if lacking := [kind for kind in KINDS if kind not in followed.pairs]:
        raise click.UsageError(f"{folder}: follows no pairs of the kind {lacking[0]!r}; its data is no `mlm dataset`")
    lines = read_metrics(folder / METRICS)
    losses = [line.number_at("loss") for line in lines if line.record.get("split") == "validation"]
    losses = [loss for loss in losses if math.isfinite(loss)]
    steps = int(max((line.number_at("step") for line in lines if "step" in line.record), default=0))
    said = read_run(folder)
    parts, bound = inside(said, "sentence", "parts"), inside(said, *BOUND)
    sentence = tuple(map(str, parts)) if isinstance(parts, list) else ()
    return Run(
        seed_and_model(folder)[0],
        steps,
        sentence,
        followed,
        loss=losses[-1] if losses else None,
        bound=bound if isinstance(bound, float) and math.isfinite(bound) else None,
    )


def inside(said: Any, *keys: str) -> Any:
    """Return what stands in nested objects under some keys; None when it is not there."""
    for key in keys:
        said = said.get(key) if isinstance(said, dict) else None
    return said


def values(sentence: tuple[str, ...], word: str, option: str) -> Iterator[str]:
    """Yield what the segments of a word say of an option; for `dataset`, that of the training set."""
    for segment in map(shlex.split, sentence):
        path = segment[: next((i for i, said in enumerate(segment) if said.startswith("--")), len(segment))]
        if word not in path or {"validation", "test"} & set(segment):
            continue
        if not option:
            yield path[-1]
        for flag, value in pairwise(segment):
            if flag == f"--{option}":
                yield value
