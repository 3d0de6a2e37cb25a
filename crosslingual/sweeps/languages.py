"""What vectors of languages are, before they are added to anything: what training gave the model, and their angles."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from crosslingual.comparison import WHOLE
from semeqv.engine.artefacts import METRICS, read_metrics
from semeqv.engine.student import t95

BEFORE, AFTER = "base", "adapted"  # what the names of the measured sets begin with
PERPLEXITY, PSEUDO = "perplexity", "pseudo_perplexity"
Key = tuple[str, str]  # what was measured, of which language
NUMBERS = {"before": "perplexity before", "after": "and after", "cosine": "cosine to the source's vector"}


@dataclass(frozen=True)
class Language:
    """A number of a language, over runs.

    Args:
        language: The language.
        number: Which: before, after, cosine.
        runs: How many runs.
        mean: The mean.
        half: Half the width of its 95% interval (Student's); None where there is one run.
    """

    language: str
    number: str
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
    for path in paths:
        files = [path] if path.is_file() else sorted(path.glob(METRICS)) or sorted(path.glob(f"*/{METRICS}"))
        for file in files:
            found = dict[Key, float]()
            for line in read_metrics(file):
                if key := key_of(line.record, source):
                    kind = next(name for name in (PSEUDO, PERPLEXITY, "cosine") if name in line.record)
                    found[key] = line.number_at(kind)
            for key, value in found.items():
                values.setdefault(key, []).append(value)
    return [averaged(*key, each) for key, each in values.items()]


def key_of(record: Mapping[str, Any], source: str) -> Key | None:
    """What a line says of which language; None when it is about something else."""
    if record.get("measure") == PERPLEXITY and (PSEUDO in record or PERPLEXITY in record):
        state = str(record.get("name")).partition("-")[0]
        number = {BEFORE: "before", AFTER: "after"}.get(state)
        return None if number is None else (number, str(record.get("language")))
    ends = [record.get("first"), record.get("second")]
    if "cosine" not in record or record.get("layer") != WHOLE or source not in ends or ends[0] == ends[1]:
        return None
    return "cosine", str(next(end for end in ends if end != source))


def averaged(number: str, language: str, values: Sequence[float]) -> Language:
    """The mean of a number over runs."""
    half = t95(len(values) - 1) * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return Language(language, number, len(values), fmean(values), half)


def language_rows(languages: Iterable[Language]) -> tuple[tuple[str, ...], list[list[str]]]:
    """The headings and rows of the table: a row for each language."""
    at = {(each.language, each.number): each for each in languages}
    numbers = [number for number in NUMBERS if any(key[1] == number for key in at)]
    names = list(dict.fromkeys(language for language, _ in at))
    rows = [[name, *(said(at.get((name, number)), number) for number in numbers)] for name in names]
    return ("language", *(NUMBERS[number] for number in numbers)), rows


def said(found: Language | None, number: str) -> str:
    """`12.3 ± 0.4`."""
    if found is None:
        return ""
    digits = 3 if number == "cosine" else 1
    return f"{found.mean:.{digits}f}" + ("" if found.half is None else f" ± {found.half:.{digits}f}")
