"""Which vectors a sweep adds, what each is to every language, and how their strengths are chosen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semeqv.runs.errors import UserError

if TYPE_CHECKING:
    from crosslingual.algebra import TaskVector

NONE, OTHER, GRID = "none", "other", "grid"  # kinds of directions
Line = dict[str, Any]
POINT, CHOICE = "sweep", "sweep choice"  # the measures of lines
FIXED, SOURCE, ORACLE = "fixed", "source-dev", "oracle"  # ways of choosing a strength
CHOICES = (FIXED, SOURCE, ORACLE)


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


def directions(
    vectors: Mapping[str, TaskVector],
    languages: Sequence[str],
    *,
    kinds: Sequence[str],
    source: str,
    unrelated: str | None,
    strengths: Sequence[float],
    second: str | None = None,
    mus: Sequence[float] = (),
) -> list[Direction]:
    """Return the directions that a sweep goes in.

    Args:
        vectors: By their names.
        languages: Those that have a test set.
        kinds: Which kinds of directions are wanted.
        source: The language that the model learnt its task in.
        unrelated: The vector that is a control.
        strengths: Of one vector; 0 is among them.
        second: A vector that is added to that of each language besides.
        mus: The strengths of the second vector.

    Returns:
        The directions, at least one.

    Raises:
        UserError: When there is none.
    """
    candidates = [*single(vectors, languages, kinds, unrelated, strengths)]
    candidates += combined(vectors, languages, kinds, source, strengths)
    if second is not None:
        candidates += grids(vectors, languages, second, strengths, mus)
    wanted = [direction for direction in candidates if direction.kinds]
    if not wanted:
        raise UserError(
            f"No vector is measured: test sets are called {', '.join(languages)}, vectors {', '.join(vectors)}; "
            "call both by languages, or say other --kinds."
        )
    return wanted


def along(strengths: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return the points of a single vector; that of no vector is not among them."""
    return tuple((strength,) for strength in strengths if strength)


def single(
    vectors: Mapping[str, TaskVector],
    languages: Sequence[str],
    kinds: Sequence[str],
    unrelated: str | None,
    strengths: Sequence[float],
) -> Iterator[Direction]:
    """Yield the vectors themselves, each with what it is to every language; arguments as those of `directions`."""
    for name, vector in vectors.items():
        of_language = {language: kind_of(name, language, unrelated) for language in languages}
        wanted = {language: kind for language, kind in of_language.items() if kind in kinds}
        yield Direction(name, (vector,), along(strengths), wanted)


def combined(
    vectors: Mapping[str, TaskVector],
    languages: Sequence[str],
    kinds: Sequence[str],
    source: str,
    strengths: Sequence[float],
) -> Iterator[Direction]:
    """Yield analogies and negations; arguments as those of `directions`."""
    spoken = [language for language in languages if language in vectors]
    for name in spoken:
        if source in vectors and name != source and "analogy" in kinds:
            difference = vectors[name] - vectors[source]
            yield Direction(f"{name} - {source}", (difference,), along(strengths), {name: "analogy"})
    for name in spoken:
        if "negation" in kinds:
            yield Direction(f"-{name}", (-vectors[name],), along(strengths), {name: "negation"})


def grids(
    vectors: Mapping[str, TaskVector],
    languages: Sequence[str],
    second: str,
    strengths: Sequence[float],
    mus: Sequence[float],
) -> Iterator[Direction]:
    """Yield pairs of the vector of a language and a second one; arguments as those of `directions`."""
    points = tuple(point for point in itertools.product(strengths, sorted({0.0, *mus})) if any(point))
    for name in (language for language in languages if language in vectors and language != second):
        yield Direction(f"{name}, {second}", (vectors[name], vectors[second]), points, {name: GRID})


def kind_of(vector: str, language: str, unrelated: str | None) -> str:
    """Return what a vector is to a language: its own, the unrelated one, or that of another language."""
    if vector == language:
        return "language"
    return "unrelated" if vector == unrelated else OTHER


def choices(lines: Sequence[Line], source: str, fixed: float, every: bool) -> list[Line]:
    """Choose the strength of each direction in each way.

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
    for line in lines:
        at, place = (line["vector"], line["language"]), (line["lambda"], line["mu"] or 0.0)
        if line["part"] == "validation":
            scores.setdefault(at, {})[place] = line[line["metric"]]
        else:
            tests.setdefault(at, {})[place] = line
    chosen_lines = []
    for (vector, language), points in tests.items():
        if not vector:
            continue
        kind = next(iter(points.values()))["kind"]
        none = tests["", language][0.0, 0.0]
        every_point = {(0.0, 0.0): {**none, "kind": kind, "vector": vector}} | points
        if kind != GRID:
            chosen_lines.append(chosen(every_point[fixed, 0.0], FIXED))
        for choice, judge in ((SOURCE, source), (ORACLE, language)) if every or kind != OTHER else ():
            validated = scores.get((vector, judge))
            if validated:
                validated = {(0.0, 0.0): scores["", judge][0.0, 0.0]} | validated
                best = max(validated, key=lambda place: (validated[place], -abs(place[0]) - abs(place[1])))
                line = chosen(every_point[best], choice)
                chosen_lines.append(line | {"chosen_on": judge, "chosen_score": validated[best]})
    return chosen_lines


def chosen(point: Line, choice: str) -> Line:
    """Return the line of a choice."""
    return {**point, "measure": CHOICE, "choice": choice}
