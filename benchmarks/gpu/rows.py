"""What the checks find, and how the files of two runs are compared."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gpu.device import measured


@dataclass
class Row:
    """One thing that was looked at.

    Args:
        what: What it is.
        value: What was found.
        expected: What it should be, in words; empty where it is only measured.
        right: Whether it is so.
    """

    what: str
    value: str
    expected: str = ""
    right: bool = True


def close(what: str, one: list[float], other: list[float], limit: float) -> Row:
    """A row that compares losses."""
    found = gap(one, other)
    return Row(what, f"{found:.1e}", f"relative difference up to {limit:g}", found <= limit)


def agreeing(what: str, one: str, other: str, limit: float) -> Row:
    """A row that compares all numbers of two measurements; those below 1 by their difference, as shares are."""
    mine, theirs = numbers(one), numbers(other)
    found = math.inf
    if mine.keys() == theirs.keys():
        found = largest(abs(mine[key] - theirs[key]) / max(abs(theirs[key]), 1) for key in mine)
    where = f"{len(mine)} numbers against the CPU's"
    return Row(f"{what}: {where}", f"{found:.1e}", f"difference up to {limit:g}, relative above 1", found <= limit)


def gap(one: list[float], other: list[float]) -> float:
    """The largest relative difference between two lists of losses."""
    if len(one) != len(other):
        return math.inf
    return largest(abs(a - b) / max(abs(b), 1e-9) for a, b in zip(one, other))


def largest(differences: Iterable[float]) -> float:
    """The largest difference; infinite when there is none, or one is not a number, which `max` may pass over."""
    found = list(differences)
    return max(found) if found and not any(map(math.isnan, found)) else math.inf


def losses(folder: str, split: str = "train") -> list[float]:
    """The losses of a run, in order."""
    lines = map(json.loads, Path(folder, "metrics.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if line["split"] == split]


def numbers(folder: str) -> dict[str, float]:
    """The numbers that a measurement wrote, by line and name."""
    lines = map(json.loads, Path(folder, "metrics.jsonl").read_text().splitlines())
    return {f"{i} {key}": each for i, line in enumerate(lines) for key, each in line.items() if isinstance(each, float)}


def seconds_of(folder: str) -> str:
    """The seconds that a run trained, its compilation counted."""
    return measured(f"{json.loads(Path(folder, 'run.json').read_text())['seconds']:.1f}")
