"""How far languages are from one, by features of URIEL: the action `distances`, and the table that it writes."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.action import Written, action
from semeqv.lazy import Floats, numpy
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.text.files import lines

# Of lang2vec: the file, and what the names of the features begin with.
FEATURES = {
    "syntax": ("feature_predictions", "S_"),
    "phonology": ("feature_predictions", "P_"),
    "inventory": ("feature_predictions", "INV_"),
    "family": ("family_features", "F_"),
}


@dataclass(frozen=True)
class Distances(Written):
    """A table of distances between languages.

    Args:
        source: The language that distances are from.
        rows: `language`, and its distance by each measure.
        path: The file.
    """

    source: str
    rows: list[dict[str, Any]]
    path: Path

    def text(self) -> str:
        """Return the table, with tabs."""
        columns = ["language", *FEATURES]
        lines = [
            "\t".join(line) + "\n" for line in [columns, *([str(row[name]) for name in columns] for row in self.rows)]
        ]
        return (
            f"# One less the cosine to {self.source} in the features of URIEL (Littell et al., 2017; CC BY-SA 4.0).\n"
            + ("".join(lines))
        )

    def show(self) -> None:
        """Print the table, and where it is."""
        click.echo(f"{self.text()}wrote {self.path}")


@action("crosslingual distances")
def distances(
    *, source: str = "en", languages: tuple[str, ...] = ("de", "es", "fr", "ru", "hi", "zh"), output: Path
) -> Distances:
    """Write how far languages are from one, by the features of URIEL (Littell et al., 2017, ACL Anthology E17-2002).

    A distance is one less the cosine of the features of two languages: of syntax, phonology, the inventory of sounds,
    and the families that they are of. Needs `lang2vec`: pip install -e '.[distances]'.

    Args:
        source: The language that distances are from, by its code of two or three letters.
        languages: The others.
        output: The file: a table with tabs, which `cli crosslingual report --distances` reads.

    Returns:
        The table.
    """
    table = Distances(source, list(uriel_distances(source, languages)), Path(output))
    write_text(table.path, table.text())
    return table


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
    table: dict[str, dict[str, float]] = {name: {} for name in rows[0][1:]}
    for language, *values in rows[1:]:
        if len(values) != len(table):
            raise UserError(f"{path}: {language!r} has {len(values)} distances where the header names {len(table)}.")
        for name, value in zip(table, values):
            if language in table[name]:
                raise UserError(f"{path}: {language!r} has two rows.")
            if not value.strip():
                continue
            try:
                table[name][language] = float(value)
            except ValueError:
                table[name][language] = math.nan
            if not math.isfinite(table[name][language]):
                raise UserError(f"{path}: the {name} distance of {language!r} is no number: {value!r:.40}.")
    return table


def uriel_distances(source: str, languages: Sequence[str]) -> Iterator[dict[str, Any]]:
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
        row: dict[str, Any] = {"language": language}
        for measure, (name, prefix) in FEATURES.items():
            first, second = (features(tables[name], codes.get(code, code), prefix) for code in (source, language))
            cosine = first @ second / (numpy.linalg.norm(first) * numpy.linalg.norm(second))
            row[measure] = round(float(1 - cosine), 4)
        yield row


def features(table: Any, code: str, prefix: str) -> Floats:
    """Return the features of a language.

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
    values: Floats = table["data"][place[0], chosen, 0].astype(numpy.float64)
    return values


def letter_codes(folder: Path) -> dict[str, str]:
    """Return codes of two letters, and those of three that they stand for."""
    codes: dict[str, str] = json.loads((folder / "letter_codes.json").read_text(encoding="utf-8"))
    return codes | {"zh": "cmn"}  # it has the macrolanguage, which has no features


def data_folder() -> Path:
    """Return where lang2vec has its data; `UserError` when it is not installed."""
    package = importlib.util.find_spec("lang2vec")
    if package is None or package.origin is None:
        raise UserError("Distances of URIEL need lang2vec: pip install -e '.[distances]'")
    return Path(package.origin).parent / "data"
