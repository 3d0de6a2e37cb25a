"""Read pairs of words, and pairs that people have rated by their similarity."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.text.files import lines
from semeqv.text.location import locate
from semeqv.text.readers.table import split

Rows = list[tuple[int, list[str]]]
FIRST = ("word1", "w1", "wordone", "worda", "term1", "first", "firstword", "source", "src", "word", "mot1")
SECOND = ("word2", "w2", "wordtwo", "wordb", "term2", "second", "secondword", "target", "tgt", "translation", "mot2")
TOPICS = ("topic", "category", "class", "label")
MEMBERS = ("word", "term", "member", "item")


def key(name: str) -> str:
    """Reduce the name of a column to its letters and digits: `Human (mean)` becomes `humanmean`."""
    return re.sub(r"[\W_]+", "", name.casefold())


def read_table(file: Path) -> Rows:
    """Read the rows of a table: the number of each line, and its cells, without blanks around them.

    Args:
        file: What stands between cells is what every line has: a comma, a semicolon or a tab in a `.csv`, where cells
            may be quoted; else a tab, a semicolon or a comma; else blanks.

    Returns:
        The rows in which a cell is not empty.

    Raises:
        UserError: When two rows have different numbers of cells, or there is none.
    """
    text = [(number, line.strip("\r\n")) for number, line in lines(file) if line.strip()]
    quoted = ".csv" in file.suffixes
    common = [mark for mark in (",;\t" if quoted else "\t;,") if all(mark in line for _, line in text)]
    if quoted:
        rows = list(split(file, True, common[0] if common else ","))
    else:
        rows = [(number, line.split(common[0]) if common else line.split()) for number, line in text]
    filled = [(number, [cell.strip() for cell in cells]) for number, cells in rows if any(map(str.strip, cells))]
    if not filled:
        raise UserError(f"{file} is empty.")
    width = len(filled[0][1])
    for number, cells in filled:
        if len(cells) != width:
            raise UserError(f"{file}, line {number}: {len(cells)} columns, but the first row has {width}.")
    return filled


def named(file: Path, header: Sequence[str], known: Collection[str]) -> int | None:
    """Find the column that has one of the known names.

    Args:
        file: The table, for the message.
        header: The names of its columns.
        known: As `key` writes them.

    Returns:
        Its place; None when there is no such column.

    Raises:
        UserError: When several have one.
    """
    places = [place for place, name in enumerate(header) if key(name) in known]
    if len(places) > 1:
        names = " and ".join(repr(header[place]) for place in places)
        raise UserError(f"{file}: the columns {names} may both be what is wanted; leave one of them out.")
    return places[0] if places else None


def number_of(cell: str) -> float | None:
    """Return the number that a cell holds, if it is one and finite."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if numpy.isfinite(number) else None


def numeric(rows: Rows) -> list[int]:
    """Return the places of the columns that hold a number in every row."""
    return [place for place in range(len(rows[0][1])) if all(number_of(cells[place]) is not None for _, cells in rows)]


def read_pairs(file: Path, known: tuple[Sequence[str], Sequence[str]], what: str) -> Iterator[tuple[str, str]]:
    """Read two columns of a table: those with known names, or all that a table without a header has.

    Args:
        file: The table.
        known: Names of the one and of the other column, as `key` writes them.
        what: The content of a row, for the message.

    Yields:
        The cells of each row.

    Raises:
        UserError: When the columns cannot be recognised, or a row lacks one.
    """
    rows = read_table(file)
    header = rows[0][1]
    one, other = (named(file, header, names) for names in known)
    if one is not None and other is not None and one != other and len(rows) > 1:
        rows = rows[1:]
    elif len(header) == 1:
        raise UserError(f"{file}, line {rows[0][0]}: {what} is wanted on each line, not {header[0]!r:.60}.")
    elif numbers := [place + 1 for place in numeric(rows[1:] or rows) if place < 2]:
        raise UserError(
            f"{file}: column {numbers[0]} holds numbers, and no header says what is what. {what} is wanted on each "
            f"line, or a header with {known[0][0]} and {known[1][0]}."
        )
    else:
        one, other = 0, 1
    for number, cells in rows:
        if not (cells[one] and cells[other]):
            raise UserError(f"{file}, line {number}: {what} is wanted, not {' | '.join(cells)!r:.80}.")
        yield cells[one], cells[other]


FOLDER = "word_similarity_en"
# Of the published sets and their usual copies, as `columns.key` writes them.
RATINGS = ("score", "scores", "rating", "ratings", "similarity", "similarityscore", "sim", "relatedness", "humanmean",
           "human", "humanscore", "humanrating", "mean", "meanscore", "meanrating", "average", "averagescore", "avg",
           "avgscore", "gold", "goldscore", "goldstandard", "simlex999", "simverb3500", "simlex")  # fmt: skip
ROUNDING = 0.06  # how far a published mean may be from that of its columns
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


def read_rated(path: Path, names: Sequence[str] = ()) -> Rated:
    """Read a file of rated pairs.

    The header says which columns are the words and which is the rating, by the names that published sets have:
    SimLex-999 (Hill et al., 2015), WordSim-353 (Finkelstein et al., 2002), Multi-SimLex (Vulić et al., 2020, arXiv
    2003.04866), of which the mean of all columns `Annotator ...` is taken. Without a header, the first two columns are
    the words and the only column of numbers is the rating, as in SimVerb-3500, or the third column is, when it is the
    mean of all that follow, as in the rare words of Luong et al. (2013). Anything else is refused.

    Args:
        path: The file, or its place under `$SEMEQV_DATA`; compressed or not.
        names: The columns of the words and of the rating, when the header calls them otherwise.

    Returns:
        The pairs.

    Raises:
        UserError: When the columns cannot be recognised, a rating is none, or there are fewer than three pairs.
    """
    file = locate(str(path), path)
    rows = read_table(file)
    chosen = by_header(file, rows, names)
    words, rating = by_numbers(file, rows) if chosen is None else chosen
    first, second, scores = list[str](), list[str](), list[float]()
    for line, cells in rows if chosen is None else rows[1:]:
        given = [number_of(cells[place]) for place in rating if cells[place]]
        known = [each for each in given if each is not None]
        if not known or len(known) < len(given):
            raise UserError(f"{file}, line {line}: {cells[rating[0]]!r:.40} is no rating.")
        if not all(cells[place] for place in words):
            raise UserError(f"{file}, line {line}: a word is missing.")
        first.append(cells[words[0]])
        second.append(cells[words[1]])
        scores.append(float(numpy.mean(known)))
    return checked(Rated(name_of_file(file), first, second, numpy.array(scores)))


def by_header(file: Path, rows: Rows, names: Sequence[str]) -> tuple[tuple[int, int], list[int]] | None:
    """Find the columns that the header of a table names.

    Args:
        file: The table, for the message.
        rows: Its rows.
        names: The columns that the user names, if any.

    Returns:
        The places of the words, and those of the ratings whose mean counts; None when the table has no header.

    Raises:
        UserError: When there is a header, but it does not say.
    """
    header = rows[0][1]
    if names:
        if missing := [name for name in names if header.count(name) != 1]:
            raise UserError(f"{file} has no column {missing[0]!r} of its own; it has {', '.join(header)!s:.200}.")
        one, other, rated = (header.index(name) for name in names)
        return (one, other), [rated]
    known = [named(file, header, each) for each in (FIRST, SECOND)]
    rated_by = [place for place, name in enumerate(header) if key(name).startswith("annotator")]
    rating = named(file, header, RATINGS)
    ratings = rated_by if rating is None else [rating]
    if known[0] is not None and known[1] is not None and ratings:
        return (known[0], known[1]), ratings
    numbers = numeric(rows[1:] or rows)
    if set(numbers) <= set(numeric(rows[:1])) and (numbers or None in known):
        return None
    raise UserError(
        f"{file}: the header says {', '.join(header)!s:.200}; two columns of words, such as word1 and word2, and one "
        "of ratings, such as score, are wanted. Say which they are: --columns WORD WORD RATING."
    )


def by_numbers(file: Path, rows: Rows) -> tuple[tuple[int, int], list[int]]:
    """Find the columns of a table without a header: words first, and one column of numbers.

    Args:
        file: The table, for the message.
        rows: Its rows.

    Returns:
        The places of the words, and that of the rating.

    Raises:
        UserError: When it is not as simple as that.
    """
    numbers = numeric(rows)
    if not numbers or min(numbers) < 2:
        place = min(2, len(rows[0][1]) - 1)
        wrong = [row for row in rows[1:] if number_of(row[1][place]) is None and not numbers]
        line, cells = (wrong or rows)[0]
        raise UserError(
            f"{file}, line {line}: a word, a word and a rating are wanted, not {' '.join(cells)!r:.80}; or a header "
            "that says what is what, such as: word1, word2, score."
        )
    values = numpy.array([[float(cells[place]) for place in numbers] for _, cells in rows])
    mean = len(numbers) > 2 and numpy.abs(values[:, 0] - values[:, 1:].mean(1)).max() < ROUNDING
    if len(numbers) > 1 and not (mean and numbers[0] == 2):
        which = " and ".join(str(place + 1) for place in numbers[:3])
        raise UserError(
            f"{file}: columns {which} hold numbers, and no header says which is the rating. Add a header such as: "
            "word1, word2, rank, score."
        )
    return (0, 1), numbers[:1]


def read_translated(words: Path, ratings: Path, languages: Sequence[str], max_rating_gap: float | None) -> Rated:
    """Read Multi-SimLex in its form of two tables, `translation.csv` and `scores.csv`, for one language or across two.

    Across languages, the first word of a pair is taken in the one and the second in the other; its rating is the mean
    of those in both.

    Args:
        words: The table with columns such as `ENG 1` and `ENG 2`; its column `ID` numbers the pairs.
        ratings: The table with a column of ratings for each language, such as `ENG`, with the same numbers.
        languages: One or two.
        max_rating_gap: Leave out pairs whose ratings in the two languages differ by more; none if None.

    Returns:
        The pairs.

    Raises:
        UserError: When a column is missing, a rating is none, or fewer than three pairs are left.
    """
    one, two = languages[0], languages[-1]
    pairs = columns(words, (f"{one} 1", f"{two} 2"))
    given = columns(ratings, (one, two))
    first, second, scores = list[str](), list[str](), list[float]()
    for number, pair in pairs.items():
        if number not in given:
            raise UserError(f"{ratings} has no line {number!r}, which {words} has.")
        rated = [number_of(cell) for cell in given[number]]
        if rated[0] is None or rated[1] is None:
            raise UserError(
                f"{ratings}: the ratings of {number!r} are {' and '.join(given[number])}, and must be numbers."
            )
        if max_rating_gap is None or abs(rated[0] - rated[1]) <= max_rating_gap:
            first.append(pair[0])
            second.append(pair[1])
            scores.append((rated[0] + rated[1]) / 2)
    return checked(Rated("-".join(dict.fromkeys(languages)), first, second, numpy.array(scores)))


def columns(path: Path, names: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """Read two columns of a table by its column `ID`; `UserError` when one is missing, or an ID occurs twice."""
    file = locate(str(path), path)
    rows = read_table(file)
    header, by_number = rows[0][1], dict[str, tuple[str, str]]()
    if missing := [name for name in ("ID", *names) if header.count(name) != 1]:
        raise UserError(f"{file} has no column {missing[0]!r}; its header says {', '.join(header)!s:.200}.")
    number, one, other = (header.index(name) for name in ("ID", *names))
    for line, cells in rows[1:]:
        if cells[number] in by_number:
            raise UserError(f"{file}, line {line}: the ID {cells[number]!r} stands twice.")
        by_number[cells[number]] = (cells[one], cells[other])
    return by_number


def name_of_file(file: Path) -> str:
    """Return `SIMLEX-999` for EN-SIMLEX-999.txt.xz."""
    return file.name.split(".")[0].removeprefix("EN-")


def checked(rated: Rated) -> Rated:
    """Refuse a set of fewer than three pairs, which has no rank correlation worth the name."""
    if len(rated.first) < 3:
        raise UserError(f"{rated.name} has {len(rated.first)} rated pairs; three are the least.")
    return rated
