"""`cli crosslingual distances`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.component import component
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.text.files import lines


@component("crosslingual distances")
@dataclass(frozen=True, kw_only=True)
class Distances:
    """Write how far languages are from one, by the features of URIEL (Littell et al., 2017, ACL Anthology E17-2002).

    A distance is one less the cosine of the features of two languages: of syntax, phonology, the inventory of sounds,
    and the families that they are of. Needs `lang2vec`: pip install -e '.[distances]'.

    Args:
        source: The language that distances are from, by its code of two or three letters.
        languages: The others.
        output: The file: a table with tabs, which `cli crosslingual report --distances` reads.
    """

    source: str = "en"
    languages: tuple[str, ...] = ("de", "es", "fr", "ru", "hi", "zh")
    output: Path

    def build(self) -> None:
        """Compute, print, and write."""

        columns = ["language", *FEATURES]
        rows = [[str(row[name]) for name in columns] for row in uriel_distances(self.source, self.languages)]
        said = (
            f"# One less the cosine to {self.source} in the features of URIEL (Littell et al., 2017; CC BY-SA 4.0).\n"
        )
        text = said + "".join("\t".join(row) + "\n" for row in [columns, *rows])
        write_text(self.output, text)
        click.echo(f"{text}wrote {self.output}")


# Of lang2vec: the file, and what the names of the features begin with.
FEATURES = {
    "syntax": ("feature_predictions", "S_"),
    "phonology": ("feature_predictions", "P_"),
    "inventory": ("feature_predictions", "INV_"),
    "family": ("family_features", "F_"),
}


def read_distances(path: Path | None) -> dict[str, dict[str, float]]:
    """Read a table of distances.

    Args:
        path: A table with tabs: a column `language`, and one for each measure. None for no table.

    Returns:
        By the name of the measure: the distance of each language; an empty cell says none.

    Raises:
        UserError: When it is no such table.
    """
    if path is None:
        return {}

    rows = [text.split("\t") for _, text in lines(path) if text.strip() and not text.startswith("#")]
    if not rows or rows[0][:1] != ["language"] or len(rows[0]) < 2:
        raise UserError(f"{path}: the first line names the columns: language, and a measure of distance or more.")
    found: dict[str, dict[str, float]] = {name: {} for name in rows[0][1:]}
    for language, *values in rows[1:]:
        if len(values) != len(found):
            raise UserError(f"{path}: {language!r} has {len(values)} distances where the header names {len(found)}.")
        for name, value in zip(found, values):
            if language in found[name]:
                raise UserError(f"{path}: {language!r} has two rows.")
            if not value.strip():
                continue
            try:
                found[name][language] = float(value)
            except ValueError:
                found[name][language] = math.nan
            if not math.isfinite(found[name][language]):
                raise UserError(f"{path}: the {name} distance of {language!r} is no number: {value!r:.40}.")
    return found


def uriel_distances(source: str, languages: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Compute distances from the features of URIEL that `lang2vec` brings: one less the cosine of two languages.

    The features are those that URIEL predicts where no source knows them (Littell et al., 2017, E17-2002), and the
    families that a language is of. They are read as plain arrays; no code of the package is run. Raises `UserError` as
    `data_folder` and `features` do.

    Args:
        source: The language that distances are from, by its code of two or three letters.
        languages: The others.

    Yields:
        For each language `language`, and a distance under the name of each measure.
    """

    folder = data_folder()
    tables = {name: numpy.load(folder / f"{name}.npz", allow_pickle=False) for name, _ in FEATURES.values()}
    codes = letter_codes(folder)
    for language in languages:
        found: dict[str, Any] = {"language": language}
        for measure, (name, prefix) in FEATURES.items():
            first, second = (features(tables[name], codes.get(each, each), prefix) for each in (source, language))
            cosine = first @ second / (numpy.linalg.norm(first) * numpy.linalg.norm(second))
            found[measure] = round(float(1 - cosine), 4)
        yield found


def features(table: Any, code: str, prefix: str) -> numpy.ndarray[Any, Any]:
    """The features of a language.

    Args:
        table: An opened file of lang2vec.
        code: The language, by three letters.
        prefix: Which features.

    Returns:
        `(features,)`.

    Raises:
        UserError: When it knows no such language.
    """

    place = numpy.flatnonzero(table["langs"] == code)
    if len(place) != 1:
        raise UserError(f"URIEL knows no language {code!r}; write a code of ISO 639-3, such as deu.")
    chosen = numpy.char.startswith(table["feats"], prefix)
    found: numpy.ndarray[Any, Any] = table["data"][place[0], chosen, 0].astype(numpy.float64)
    return found


def letter_codes(folder: Path) -> dict[str, str]:
    """Codes of two letters, and those of three that they stand for."""

    found: dict[str, str] = json.loads((folder / "letter_codes.json").read_text(encoding="utf-8"))
    return found | {"zh": "cmn"}  # it has the macrolanguage, which has no features


def data_folder() -> Path:
    """Where lang2vec has its data; `UserError` when it is not installed."""
    from importlib.util import find_spec

    found = find_spec("lang2vec")
    if found is None or found.origin is None:
        raise UserError("Distances of URIEL need lang2vec: pip install -e '.[distances]'")
    return Path(found.origin).parent / "data"
