"""Which vectors a sweep adds, how much of them, and what each is to every language."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crosslingual.algebra import TaskVector
from crosslingual.open import open_checkpoint, opened
from semeqv.runs.errors import UserError

if TYPE_CHECKING:
    from crosslingual.sweep import Sweep

NONE, OTHER, GRID = "none", "other", "grid"


@dataclass(frozen=True)
class Direction:
    """A vector, or two of them, that a sweep adds at some strengths.

    Args:
        name: What to call it: `de`, `de - en`, `-de`, or `de, en` for two with a strength each.
        vectors: The vector, or the two.
        points: Strengths, a number for each vector; that of the model without vectors is not among them.
        kinds: By the languages that it is measured on: what it is to them, such as `analogy`.
    """

    name: str
    vectors: tuple[TaskVector, ...]
    points: tuple[tuple[float, ...], ...]
    kinds: Mapping[str, str]


def opened_vectors(options: "Sweep") -> dict[str, TaskVector]:
    """Open the vectors.

    Args:
        options: What the command was told.

    Returns:
        The vectors by their names, at least one.

    Raises:
        UserError: When there is none, or (from `opened`) one cannot be opened.
    """

    if not options.vector:
        raise UserError("Say which vectors to add: --vector NAME FOLDER.")
    base = None if options.base is None else open_checkpoint(options.base)
    return {name: opened(source, base, mixed=options.mixed) for name, source in options.vector}


def directions(options: "Sweep", vectors: Mapping[str, TaskVector], languages: Sequence[str]) -> list[Direction]:
    """The directions that a sweep goes in.

    Args:
        options: What the command was told.
        vectors: By their names.
        languages: Those that have a test set.

    Returns:
        The directions, at least one.

    Raises:
        UserError: When there is none.
    """
    found = [each for each in every(options, vectors, languages) if each.kinds]
    if not found:
        raise UserError(
            f"No vector is measured: test sets are called {', '.join(languages)}, vectors {', '.join(vectors)}; "
            "call both by languages, or say other --kinds."
        )
    return found


def every(options: "Sweep", vectors: Mapping[str, TaskVector], languages: Sequence[str]) -> Iterator[Direction]:
    """All directions; yields also those of which no kind is asked for."""
    points = tuple((strength,) for strength in options.strengths if strength)
    for name, vector in vectors.items():
        kinds = {language: kind_of(name, language, options.unrelated) for language in languages}
        yield Direction(name, (vector,), points, {each: kind for each, kind in kinds.items() if kind in options.kinds})
    spoken = [language for language in languages if language in vectors]
    source = vectors.get(options.source)
    for name in spoken:
        if source is not None and name != options.source and "analogy" in options.kinds:
            difference = vectors[name] - source
            yield Direction(f"{name} - {options.source}", (difference,), points, {name: "analogy"})
    for name in spoken:
        if "negation" in options.kinds:
            yield Direction(f"-{name}", (-vectors[name],), points, {name: "negation"})
    if options.second is None:
        return
    grid = tuple(point for point in itertools.product(options.strengths, sorted({0.0, *options.mus})) if any(point))
    for name in spoken:
        if name != options.second:
            yield Direction(f"{name}, {options.second}", (vectors[name], vectors[options.second]), grid, {name: GRID})


def kind_of(vector: str, language: str, unrelated: str | None) -> str:
    """What a vector is to a language: its own, the unrelated one, or that of another language."""
    if vector == language:
        return "language"
    return "unrelated" if vector == unrelated else OTHER


Line = dict[str, Any]
POINT, CHOICE = "sweep", "sweep choice"  # the measures of lines
FIXED, SOURCE, ORACLE = "fixed", "source-dev", "oracle"
CHOICES = (FIXED, SOURCE, ORACLE)


def choices(lines: Sequence[Line], source: str, fixed: float, every: bool) -> list[Line]:
    """What each way of choosing the strength leads to.

    Strengths are chosen on validation sets, and what is said of a choice was measured on test sets. Of strengths that
    score alike, the weakest is chosen; no vector at all is always among them.

    Args:
        lines: The points of a run.
        source: The source language.
        fixed: The strength that is fixed beforehand.
        every: Whether vectors of other languages were measured at every strength, so that theirs can be chosen, too.

    Returns:
        For each direction and language that is tested: the line of the point that was chosen, with `choice` and the
        score on what it was chosen on, `chosen_on` and `chosen_score`. A way that has no set to choose on is left out.
    """
    scores = dict[tuple[str, str], dict[tuple[float, float], float]]()  # vector and validation language, to scores
    tests = dict[tuple[str, str], dict[tuple[float, float], Line]]()
    for each in lines:
        at, place = (each["vector"], each["language"]), (each["lambda"], each["mu"] or 0.0)
        if each["part"] == "validation":
            scores.setdefault(at, {})[place] = each[each["metric"]]
        else:
            tests.setdefault(at, {})[place] = each
    found = []
    for (vector, language), points in tests.items():
        if not vector:
            continue
        kind = next(iter(points.values()))["kind"]
        none = tests["", language][0.0, 0.0]
        every_point = {(0.0, 0.0): {**none, "kind": kind, "vector": vector}} | points
        if kind != GRID:
            found.append(chosen(every_point[fixed, 0.0], FIXED))
        for choice, judge in ((SOURCE, source), (ORACLE, language)) if every or kind != OTHER else ():
            judged = scores.get((vector, judge))
            if judged:
                judged = {(0.0, 0.0): scores["", judge][0.0, 0.0]} | judged
                best = max(judged, key=lambda place: (judged[place], -abs(place[0]) - abs(place[1])))
                found.append(chosen(every_point[best], choice) | {"chosen_on": judge, "chosen_score": judged[best]})
    return found


def chosen(point: Line, choice: str) -> Line:
    """The line of a choice."""
    return {**point, "measure": CHOICE, "choice": choice}
