"""The tables of sweeps: what each vector gains in each language, and the matrix of vectors and languages."""

import math
from collections.abc import Iterable, Sequence

from crosslingual.directions import CHOICES, FIXED, GRID, NONE, ORACLE, OTHER, SOURCE
from crosslingual.hypotheses import Test
from crosslingual.languages import Language, language_rows
from crosslingual.sweep_cells import ALL, Cell, Number
from semeqv.results.tables import Table

KINDS = ("language", "analogy", "negation", "unrelated", GRID)
HEADINGS = {FIXED: "fixed strength", SOURCE: "chosen on source dev", ORACLE: "oracle: target's own dev"}


def print_tables(shown: Iterable[Table]) -> None:
    """Print tables."""
    for table in shown:
        table.print()


def every_table(cells: Sequence[Cell], tests: Sequence[Test], languages: Sequence[Language]) -> list[Table]:
    """Return all tables of a report: hypotheses, vectors, and those of each task; none without a row."""
    columns, rows = language_rows(languages)
    title = "Vectors of languages: what training gives the base, and their angles"
    shown = [overview(cells), hypotheses(tests), Table(title, columns, rows), *tables(cells)]
    return [each for each in shown if each.rows]


def overview(cells: Sequence[Cell]) -> Table:
    """Tabulate what each kind of vector gains on average over the target languages, by task and model.

    A kind that some languages lack has the mean of the others; `no vector` is that of the languages of the first kind.

    Args:
        cells: Of all tasks and models.

    Returns:
        The table; without a row where there are one task and one model, whose own table says it.
    """
    means = [mean for mean in cells if mean.language == ALL]
    at = {(mean.task, mean.model, mean.choice, mean.kind): mean for mean in means if mean.kind != NONE}
    kinds = [kind for kind in KINDS if any(kind == key[3] for key in at)]
    plain = dict[tuple[str, str], Cell]()
    for mean in means:
        if mean.kind == NONE:
            plain.setdefault((mean.task, mean.model), mean)
    rows = []
    for (task, model), none in plain.items() if len(plain) > 1 else ():
        most = max(mean.runs for mean in means if (mean.task, mean.model) == (task, model))
        for choice in CHOICES:
            gained = [at.get((task, model, choice, kind)) for kind in kinds]
            if any(gained):
                rows.append(
                    [
                        task,
                        model,
                        choice,
                        with_interval(none.score),
                        *(gain_with_interval(mean, most) for mean in gained),
                    ]
                )
    columns = ("task", "model from", "strength", "no vector", *kinds)
    return Table("What vectors gain, on average over the target languages", columns, rows, 3)


def tables(cells: Sequence[Cell]) -> list[Table]:
    """Tabulate each task and model: gains by each choice of the strength, side by side, then the matrix.

    Args:
        cells: From `joined`.

    Returns:
        The tables, those without a row left out.
    """
    shown = []
    for task, model in dict.fromkeys((each.task, each.model) for each in cells):
        here = [each for each in cells if (each.task, each.model) == (task, model)]
        shown += [gains(here), matrix(here)]
    return [each for each in shown if each.rows]


def gains(cells: Sequence[Cell]) -> Table:
    """Tabulate what each kind of vector gains, language by language, at each choice of the strength.

    Args:
        cells: Of one task and model.

    Returns:
        The table; without a row when nothing was chosen.
    """
    first = cells[0]
    at = {(each.kind, each.language, each.choice): each for each in cells if each.kind != OTHER}
    none = {each.language: each for each in cells if each.kind == NONE and each.language != ALL}
    means = {each.vector: each for each in cells if each.kind == NONE and each.language == ALL}
    choices = [choice for choice in CHOICES if any(key[2] == choice for key in at)]
    most, rows = max(each.runs for each in cells), []
    for kind in KINDS:
        for language, plain in [*none.items(), (ALL, means.get(kind))]:
            gained = [at.get((kind, language, choice)) for choice in choices]
            if plain and any(gained):
                rows.append(
                    [kind, language, with_interval(plain.score), *(gain_with_interval(each, most) for each in gained)]
                )
    said_of = f"model from {first.model}, {count_of_runs(cells)}"
    title = f"{first.task}: {first.metric} without a vector, and what vectors gain ({said_of})"
    return Table(title, ("vector", "language", "no vector", *(HEADINGS[choice] for choice in choices)), rows, 2)


def matrix(cells: Sequence[Cell]) -> Table:
    """Tabulate what each vector gains in each language, at the strength that is fixed beforehand.

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
    title = (
        f"{first.task}: gain in {first.metric} at the fixed strength (model from {first.model}, {count_of_runs(cells)})"
    )
    return Table(title, ("vector", *languages), rows)


def hypotheses(tests: Iterable[Test]) -> Table:
    """Tabulate the tests."""
    rows = [
        [
            each.hypothesis,
            each.of,
            each.statistic,
            str(each.n),
            f"{each.value:+.3f}",
            "" if math.isnan(each.low) else f"[{each.low:+.3f}, {each.high:+.3f}]",
            *("" if math.isnan(p) else f"{p:.3f}" for p in (each.p, each.corrected)),
        ]
        for each in tests
    ]
    columns = ("hypothesis", "of", "statistic", "languages", "value", "95%", "p", "p of all at once (Holm)")
    return Table("Hypotheses", columns, rows, 3)


def with_interval(number: Number) -> str:
    """Write `.753 [.741, .765]`."""
    low, high = number.interval
    return f"{number.mean:.3f}" + ("" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]")


def gain_with_interval(cell: Cell | None, most: int) -> str:
    """Write `+.012 [+.004, +.020] at 0.5`: gain, interval, mean strength; and the runs, if not the most."""
    if cell is None:
        return ""
    low, high = cell.gain.interval
    ends = "" if math.isnan(low) else f" [{low:+.3f}, {high:+.3f}]"
    strength = "" if cell.kind == GRID else f" at {cell.strength:.2f}"
    return f"{cell.gain.mean:+.3f}{ends}{strength}" + (f", {count_of_runs([cell])}" if cell.runs < most else "")


def count_of_runs(cells: Sequence[Cell]) -> str:
    """Write `3 runs`."""
    runs = max(each.runs for each in cells)
    return f"{runs} run{'s' if runs > 1 else ''}"
