"""What a run recorded of some symbols while it trained: what they are called, and how far apart pairs of them were."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.lazy import numpy
from semeqv.runs.reading import read_array

FOLLOWED = "followed.json"
SIDES = ("input", "output")
SHAPE = "(records, symbols, symbols)"
DRAW = 14  # seed of the random pairs of a file that names none
TOLERANCE = 1e-6  # tied embeddings have distances that differ by no more


@dataclass(frozen=True)
class Followed:
    """The symbols that a run followed, and the distances of pairs of them.

    Args:
        name: The name of the run's folder.
        every: Steps, or epochs, from one record to the next.
        unit: `step` or `epoch`.
        names: What the symbols are called, in the order of their rows; empty where it is not known.
        pairs: By kind: pairs of rows.
        distances: By embedding (`input` and `output`; `tied` alone when they are one) and kind: (records, pairs). The
            first record is of the untrained model.
    """

    name: str
    every: int
    unit: str
    names: list[str]
    pairs: dict[str, list[tuple[int, int]]]
    distances: dict[str, dict[str, numpy.ndarray]]

    @property
    def tied(self) -> bool:
        """Whether its two embeddings are one."""
        return "tied" in self.distances


def read_followed(folder: Path) -> Followed:
    """Read what a run recorded of pairs of symbols.

    Args:
        folder: The folder of the run.

    Returns:
        Names, pairs and distances.

    Raises:
        click.UsageError: A file is missing, or is not what a run writes.
    """
    path = folder / FOLLOWED
    try:
        said = json.loads(path.read_bytes())
        ((unit, every),) = said["every"].items()
        names = [str(name) for name in said["names"]]
        pairs = {str(kind): [(int(a), int(b)) for a, b in each] for kind, each in said["pairs"].items()}
        sound = unit in ("steps", "epochs") and int(every) > 0 and all(pairs.values())
    except FileNotFoundError:
        raise click.UsageError(
            f"{path}: no such file; give the folder of a run with `cli mlm callbacks cdists`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise click.UsageError(f"{path}: not what a run writes; run the experiment again")
    found = {side: of_pairs(folder / f"{side}_cdists.npy", len(names), pairs) for side in SIDES}
    if same(*found.values()):
        found = {"tied": found["input"]}
    return Followed(folder.resolve().name, int(every), unit.removesuffix("s"), names, pairs, found)


def read_doubles(path: Path) -> Followed:
    """Read a file of distances between words and their doubles, as the study's original code writes it.

    Args:
        path: `input_cdists.npy` or `output_cdists.npy`: words first, most frequent first, then their doubles. The name
            of its folder ends in `wt` where the embeddings are tied.

    Returns:
        Pairs of words and their doubles, and as many random pairs of words, the same for every file; no names.

    Raises:
        click.UsageError: The file has other axes, or no double for each word.
    """
    array = read_array(path, SHAPE)
    words, odd = divmod(array.shape[1], 2)
    if odd or array.shape[1] != array.shape[2] or words < 2:
        raise click.UsageError(f"{path}: has shape {array.shape}; expected {SHAPE}, words and as many doubles")
    among = list(itertools.combinations(range(words), 2))
    pairs = {
        "doubles": [(word, word + words) for word in range(words)],
        "random": random.Random(DRAW).sample(among, min(words, len(among))),
    }
    folder = path.resolve().parent.name
    side = "tied" if folder.endswith("wt") else "output" if path.stem.startswith("output") else "input"
    return Followed(folder, 1, "record", [], pairs, {side: of_pairs(path, 2 * words, pairs)})


def of_pairs(path: Path, symbols: int, pairs: dict[str, list[tuple[int, int]]]) -> dict[str, numpy.ndarray]:
    """Read the distances of pairs.

    Args:
        path: A file of distances.
        symbols: How many symbols there are.
        pairs: By kind: pairs of rows.

    Returns:
        By kind: (records, pairs).

    Raises:
        click.UsageError: The file has not so many symbols, or a pair is of others.
    """
    array = read_array(path, SHAPE)
    if array.shape[1:] != (symbols, symbols):
        raise click.UsageError(f"{path}: has shape {array.shape}; expected {SHAPE}, {symbols} symbols")
    if not all(0 <= row < symbols for each in pairs.values() for pair in each for row in pair):
        raise click.UsageError(f"{path.parent / FOLLOWED}: names pairs of more than {symbols} symbols")
    return {kind: array[:, [a for a, _ in each], [b for _, b in each]] for kind, each in pairs.items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two embeddings have the same distances at every record."""
    return all(
        one[kind].shape == other[kind].shape and not (abs(one[kind] - other[kind]) > TOLERANCE).any() for kind in one
    )
