"""Read what `cli foundation-embeddings` wrote. A wrong file is one line for the user."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy

TABLE, PAIRS = "foundation.json", "foundation_pairs.csv"


@dataclass(frozen=True)
class Comparison:
    """One kind of equivalence in one embedding.

    Args:
        kind: What the kind is called.
        equivalent: Distances of equivalent pairs, (pairs,).
        random: Distances of random pairs, (pairs,).
        closer: Probability that an equivalent pair is the closer one.
        low: Lower end of its 95% interval.
        high: Upper end of it.
    """

    kind: str
    equivalent: numpy.ndarray
    random: numpy.ndarray
    closer: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """What was measured of one model: its name, and by embedding the comparisons."""

    name: str
    embeddings: dict[str, list[Comparison]]


def read_foundation(folder: Path, measure: str) -> Measured:
    """Read a folder of the study.

    Args:
        folder: The folder, or its foundation.json.
        measure: The distance to read.

    Returns:
        The comparisons by that distance.

    Raises:
        click.UsageError: A file is missing, or is not what the study writes.
    """
    folder = folder.parent if folder.name == TABLE else folder
    try:
        said = json.loads((folder / TABLE).read_bytes())
        embeddings = comparisons([row for row in said["rows"] if row["measure"] == measure], folder / PAIRS, measure)
        return Measured("/".join(PurePath(str(said["model"])).parts[-2:]), embeddings)
    except FileNotFoundError as error:
        raise click.UsageError(
            f"{error.filename}: no such file; give a folder that cli foundation-embeddings wrote"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        raise click.UsageError(f"{folder}: not what cli foundation-embeddings writes ({error}); run it again") from None


def comparisons(rows: list[dict[str, Any]], pairs: Path, measure: str) -> dict[str, list[Comparison]]:
    """Put the rows of the table together with the distances of their pairs.

    Args:
        rows: Of one distance.
        pairs: The file of pairs.
        measure: The distance.

    Returns:
        Embedding to comparisons.

    Raises:
        ValueError: There is no row, or something is no number.
    """
    import numpy

    if not rows:
        raise ValueError(f"there is no {measure}")
    distances = read_pairs(pairs, {row["embedding"] for row in rows}, measure)
    embeddings: dict[str, list[Comparison]] = {}
    for row in rows:
        near, far = (numpy.array(distances[row["embedding"], row["kind"], which]) for which in ("equivalent", "random"))
        numbers = [float(row[name]) for name in ("closer", "low", "high")]
        if not all(map(math.isfinite, (*near, *far, *numbers))):
            raise ValueError("a distance is no number")
        embeddings.setdefault(str(row["embedding"]), []).append(Comparison(str(row["kind"]), near, far, *numbers))
    return embeddings


def read_pairs(path: Path, embeddings: set[str], measure: str) -> dict[Any, list[float]]:
    """Read the distances of pairs: by embedding, kind, and `equivalent` or `random`."""
    found: dict[Any, list[float]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for embedding in embeddings:
                for which in ("equivalent", "random"):
                    value = float(row[f"{embedding} {measure} {which}"])
                    found.setdefault((embedding, row["kind"], which), []).append(value)
    return found
