"""The tables of sweeps: what each vector gains in each language, and the matrix of vectors and languages."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crosslingual.sweeps.choosing import CHOICES, FIXED, ORACLE
from crosslingual.sweeps.directions import GRID, NONE, OTHER
from crosslingual.sweeps.hypotheses import Test
from crosslingual.sweeps.joined import ALL, Cell, Number

KINDS = ("language", "analogy", "negation", "unrelated", GRID)
CHOSEN = {
    FIXED: "strength fixed beforehand",
    "source-dev": "strength chosen on validation data of the source language",
    ORACLE: "strength chosen on the target's own validation data (an oracle: no zero-shot transfer has its labels)",
}


@dataclass(frozen=True)
class Shown:
    """A table.

    Args:
        title: What stands above it.
        columns: The headings.
        rows: The cells.
        words: How many of the first columns are words; the others are numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    words: int = 1


def tables(cells: Sequence[Cell]) -> list[Shown]:
    """The tables of each task and model: gains at each choice of the strength, then the matrix.

    Args:
        cells: From `joined`.

    Returns:
        The tables, those without a row left out.
    """
    found = []
    for task, model in dict.fromkeys((each.task, each.model) for each in cells):
        here = [each for each in cells if (each.task, each.model) == (task, model)]
        found += [gains(here, choice) for choice in CHOICES] + [matrix(here)]
    return [each for each in found if each.rows]


def gains(cells: Sequence[Cell], choice: str) -> Shown:
    """What each kind of vector gains, language by language, at one choice of the strength.

    Args:
        cells: Of one task and model.
        choice: The choice.

    Returns:
        The table; without a row when nothing was chosen so.
    """
    first = cells[0]
    at = {(each.language, each.kind): each for each in cells if each.choice == choice and each.kind != OTHER}
    none = {each.language: each for each in cells if each.kind == NONE}
    kinds = [kind for kind in KINDS if any(key[1] == kind for key in at)]
    rows = []
    for language in [name for name in none if name != ALL] + [name for name in (ALL,) if name in none]:
        gained = [at.get((language, kind)) for kind in kinds]
        if any(gained):
            rows.append([language, said(none[language].score), *(gain_said(each, choice) for each in gained)])
    title = f"{first.task}, {first.metric}, {runs_said(cells)}, model from {first.model}: {CHOSEN[choice]}"
    return Shown(title, ("language", "no vector", *kinds), rows)


def matrix(cells: Sequence[Cell]) -> Shown:
    """What each vector gains in each language, at the strength that is fixed beforehand.

    Args:
        cells: Of one task and model.

    Returns:
        The table; without a row when no vector was measured in another language than its own.
    """
    first = cells[0]
    plain = ("language", OTHER, "unrelated")
    at = {(each.vector, each.language): each for each in cells if each.choice == FIXED and each.kind in plain}
    at = {key: each for key, each in at.items() if each.language != ALL}
    languages = list(dict.fromkeys(language for _, language in at))
    vectors = list(dict.fromkeys(vector for vector, _ in at))
    rows = []
    for vector in vectors if any(each.kind == OTHER for each in at.values()) else []:
        row = [at.get((vector, language)) for language in languages]
        rows.append([vector, *("" if each is None else f"{each.gain.mean:+.3f}" for each in row)])
    title = f"{first.task}, gain in {first.metric} by vector (rows) and language, model from {first.model}: {CHOSEN[FIXED]}"
    return Shown(title, ("vector", *languages), rows)


def hypotheses(tests: Iterable[Test]) -> Shown:
    """The table of tests."""
    rows = [
        [
            each.hypothesis,
            each.of,
            each.statistic,
            str(each.n),
            f"{each.value:+.3f}",
            "" if math.isnan(each.low) else f"[{each.low:+.3f}, {each.high:+.3f}]",
            "" if math.isnan(each.p) else f"{each.p:.3f}",
        ]
        for each in tests
    ]
    return Shown("Hypotheses", ("hypothesis", "of", "statistic", "languages", "value", "95%", "p"), rows, 3)


def said(number: Number) -> str:
    """`.753 [.741, .765]`."""
    low, high = number.interval
    return f"{number.mean:.3f}" + ("" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]")


def gain_said(cell: Cell | None, choice: str) -> str:
    """`+.012 [+.004, +.020]`, and the strength where it was chosen by data."""
    if cell is None:
        return ""
    low, high = cell.gain.interval
    ends = "" if math.isnan(low) else f" [{low:+.3f}, {high:+.3f}]"
    return f"{cell.gain.mean:+.3f}{ends}" + ("" if choice == FIXED or cell.kind == GRID else f" at {cell.strength:.2g}")


def runs_said(cells: Sequence[Cell]) -> str:
    """`3 runs`."""
    runs = max(each.runs for each in cells)
    return f"{runs} run{'s' if runs > 1 else ''}"
