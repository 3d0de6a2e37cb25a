"""What vectors of languages are, before they are added to anything: what training gave the model, and their angles."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crosslingual.compare import WHOLE
from semeqv.results.statistics import mean_and_half
from semeqv.runs.reading import metrics_files, read_metrics

BEFORE, AFTER = "base", "adapted"  # what the names of the measured sets begin with
PERPLEXITY, PSEUDO = "perplexity", "pseudo_perplexity"
Key = tuple[str, str, str]  # where, what was measured, of which language
NUMBERS = {"before": "perplexity before", "after": "and after", "cosine": "cosine to the source's vector"}


@dataclass(frozen=True)
class Language:
    """A number of a language, over runs.

    Args:
        where: The folder of the runs: models of one base.
        number: Which: before, after, cosine.
        language: The language.
        runs: How many runs.
        mean: The mean.
        half: Half the width of its 95% interval (Student's); None where there is one run.
    """

    where: str
    number: str
    language: str
    runs: int
    mean: float
    half: float | None


def read_languages(paths: Sequence[Path], source: str) -> list[Language]:
    """Read what `cli perplexity` and `cli crosslingual compare` have measured of models and vectors of languages.

    Perplexities are those of sets called `base-de`, measured of the base, and `adapted-de`, of the model that was
    adapted to the language.

    Args:
        paths: Folders of runs, or folders with such folders; other measures in them are left out.
        source: The language that cosines are to.

    Returns:
        The numbers; none where nothing of this was measured.
    """
    values = dict[Key, list[float]]()
    for file in metrics_files(paths):
        numbers = dict[Key, float]()
        for line in read_metrics(file):
            if place := key_of(line.record, source):
                kind = next(name for name in (PSEUDO, PERPLEXITY, "cosine") if name in line.record)
                numbers[str(file.parent.parent), *place] = line.number_at(kind)
        for key, value in numbers.items():
            values.setdefault(key, []).append(value)
    return [averaged(key, each) for key, each in values.items()]


def key_of(record: Mapping[str, Any], source: str) -> tuple[str, str] | None:
    """Return what a line says of which language; None when it is about something else."""
    if record.get("measure") == PERPLEXITY and (PSEUDO in record or PERPLEXITY in record):
        state = str(record.get("name")).partition("-")[0]
        number = {BEFORE: "before", AFTER: "after"}.get(state)
        return None if number is None else (number, str(record.get("language")))
    ends = [record.get("first"), record.get("second")]
    if "cosine" not in record or record.get("layer") != WHOLE or source not in ends or ends[0] == ends[1]:
        return None
    return "cosine", str(next(end for end in ends if end != source))


def averaged(key: Key, values: Sequence[float]) -> Language:
    """Average a number over runs."""
    mean, half = mean_and_half(values)
    return Language(*key, len(values), mean, None if math.isnan(half) else half)


def language_rows(languages: Iterable[Language]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return headings and rows of the table: a row for each language, and, where there are several, each base."""
    at = {(each.where, each.language, each.number): each for each in languages}
    numbers = [number for number in NUMBERS if any(key[2] == number for key in at)]
    places = dict.fromkeys(key[:2] for key in at)
    rows = [[*place, *(spelled(at.get((*place, number)), number) for number in numbers)] for place in places]
    skipped = 0 if len({where for where, _ in places}) > 1 else 1
    columns = ("measured in", "language", *(NUMBERS[number] for number in numbers))
    return columns[skipped:], [row[skipped:] for row in rows]


def spelled(language: Language | None, number: str) -> str:
    """Write `12.3 ± 0.4`."""
    if language is None:
        return ""
    digits = 3 if number == "cosine" else 1
    return f"{language.mean:.{digits}f}" + ("" if language.half is None else f" ± {language.half:.{digits}f}")
