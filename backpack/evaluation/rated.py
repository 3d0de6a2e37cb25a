"""Pairs of words that people have rated by how alike they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
from numpy.typing import NDArray

from semeqv.engine.errors import UserError
from semeqv.text.files import lines
from semeqv.text.location import locate
from semeqv.text.readers.table import split

FOLDER = "word_similarity_en"
STANDARD = ("EN-SIMLEX-999.txt", "EN-RG-65.txt", "EN-WS-353-ALL.txt")


@dataclass(frozen=True)
class Rated:
    """A set of rated pairs.

    Args:
        name: What to call it.
        first: The first word of each pair.
        second: The second word of each.
        scores: `(pairs,)`, the mean rating.
    """

    name: str
    first: list[str]
    second: list[str]
    scores: NDArray[numpy.float64]


def read_rated(path: Path) -> Rated:
    """Read a file of rated pairs.

    Two kinds are known: a word, a word and a rating on each line, between tabs, commas or blanks, perhaps below a
    header, and with other columns: the rating is the first that is a number on the first line of words, so that
    SimLex-999 and SimVerb-3500 are read as they are published, the part of speech before the rating; and tables in
    commas with the columns `Word 1`, `Word 2` and, for each person who rated, `Annotator ...`, as Multi-SimLex (Vulić
    et al., 2020, arXiv 2003.04866) has one for each language, or one rating, as WordSim-353 has it.

    Args:
        path: The file, or its place under `$SEMEQV_DATA`; compressed or not.

    Returns:
        The pairs.

    Raises:
        UserError: When the file is of another kind, or has fewer than three pairs.
    """
    file = locate(str(path), path)
    first, second, scores = list[str](), list[str](), list[float]()
    words, rating = (0, 1), list[int]()
    for number, (line, cells) in enumerate(fields_of(file)):
        if number == 0 and "Word 1" in cells and "Word 2" in cells:
            words = (cells.index("Word 1"), cells.index("Word 2"))
            rating = [place for place, cell in enumerate(cells) if cell.startswith("Annotator")]
            continue
        if not rating:
            rating = [place for place in range(max(words) + 1, len(cells)) if number_of(cells[place]) is not None][:1]
        if not rating and number == 0 and len(cells) > max(words) + 1:  # the header of a plain table
            continue
        if not rating or len(cells) <= max(*words, *rating):
            raise UserError(
                f"{file}, line {line}: a word, a word and a rating are wanted, not {' '.join(cells)!r:.80}."
            )
        given = [number_of(cells[place]) for place in rating if cells[place]]
        known = [each for each in given if each is not None]
        if not known or len(known) < len(given):
            raise UserError(f"{file}, line {line}: {cells[rating[0]]!r:.40} is no rating.")
        first.append(cells[words[0]])
        second.append(cells[words[1]])
        scores.append(float(numpy.mean(known)))
    return checked(Rated(name_of_file(file), first, second, numpy.array(scores)))


def read_translated(words: Path, ratings: Path, languages: Sequence[str], apart: float | None) -> Rated:
    """Read Multi-SimLex in its form of two tables, `translation.csv` and `scores.csv`, for one language or across two.

    Across languages, the first word of a pair is taken in the one and the second in the other; its rating is the mean
    of those in both.

    Args:
        words: The table with columns such as `ENG 1` and `ENG 2`; its first column numbers the pairs.
        ratings: The table with a column of ratings for each language, such as `ENG`, numbered alike.
        languages: One or two.
        apart: Leave out pairs whose ratings in the two languages differ by more; none if None.

    Returns:
        The pairs.

    Raises:
        UserError: When a column is missing, a rating is none, or fewer than three pairs are left.
    """
    one, two = languages[0], languages[-1]
    said = columns(words, (f"{one} 1", f"{two} 2"))
    given = columns(ratings, (one, two))
    first, second, scores = list[str](), list[str](), list[float]()
    for key, pair in said.items():
        if key not in given:
            raise UserError(f"{ratings} has no line {key!r}, which {words} has.")
        rated = [number_of(cell) for cell in given[key]]
        if rated[0] is None or rated[1] is None:
            raise UserError(f"{ratings}: the ratings of {key!r} are {' and '.join(given[key])}, and must be numbers.")
        if apart is None or abs(rated[0] - rated[1]) <= apart:
            first.append(pair[0])
            second.append(pair[1])
            scores.append((rated[0] + rated[1]) / 2)
    return checked(Rated("-".join(dict.fromkeys(languages)), first, second, numpy.array(scores)))


def columns(path: Path, names: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """Two columns of a table with commas, by what stands in the first one."""
    file, found, places = locate(str(path), path), dict[str, tuple[str, str]](), list[int]()
    for line, cells in fields_of(file):
        if not places:
            if missing := [name for name in names if name not in cells]:
                raise UserError(f"{file} has no column {missing[0]!r}; its header says {', '.join(cells)!s:.200}.")
            places = [cells.index(name) for name in names]
        elif len(cells) <= max(places):
            raise UserError(f"{file}, line {line}: {len(cells)} columns, fewer than the header has.")
        else:
            found[cells[0]] = (cells[places[0]], cells[places[1]])
    return found


def fields_of(file: Path) -> list[tuple[int, list[str]]]:
    """The rows of a table: the number of each line, and its cells, without blanks around them."""
    if ".csv" in file.suffixes:
        rows = list(split(file, True, ","))
    else:
        rows = [(number, re.split(r"\t" if "\t" in text else r"\s+", text.strip())) for number, text in lines(file)]
    return [(number, [cell.strip() for cell in cells]) for number, cells in rows if any(cells)]


def number_of(cell: str) -> float | None:
    """The number that a cell holds, if it is one and finite."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if numpy.isfinite(number) else None


def name_of_file(file: Path) -> str:
    """`SIMLEX-999` of EN-SIMLEX-999.txt.xz."""
    return file.name.split(".")[0].removeprefix("EN-")


def checked(rated: Rated) -> Rated:
    """Refuse a set of fewer than three pairs, which has no rank correlation worth the name."""
    if len(rated.first) < 3:
        raise UserError(f"{rated.name} has {len(rated.first)} rated pairs; three are the least.")
    return rated
