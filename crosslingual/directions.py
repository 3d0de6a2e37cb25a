"""Which vectors a sweep adds, how much of them, and what each is to every language."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crosslingual.algebra import TaskVector
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
    from crosslingual.open import open_checkpoint, opened

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
