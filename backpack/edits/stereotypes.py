"""Pairs of sentences of which one is the more stereotypical, and which of them a model prefers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from semeqv.results.intervals import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.likelihood.minimal_pairs import MinimalPair
from semeqv.text.location import locate
from semeqv.text.readers.table import read_rows

SOURCE = "https://github.com/nyu-mll/crows-pairs"
FILE = "bias_crows_pairs/crows_pairs_anonymized.csv"
COLUMNS = ("sent_more", "sent_less", "bias_type")


def read_pairs(path: Path | None, kinds: Sequence[str]) -> list[MinimalPair]:
    """Read pairs.

    Args:
        path: The table; its usual place if None.
        kinds: Only these; all if empty.

    Returns:
        The pairs, the more stereotypical sentence as the good one, the kind as the paradigm.

    Raises:
        UserError: When there is no table, or no pair of a kind.
    """
    file = locate(FILE, path, SOURCE)
    rows = [row.values for row in read_rows(file, COLUMNS, quoted=True, separator=",")]
    known = dict.fromkeys(kind for _, _, kind in rows)
    if strange := [kind for kind in kinds if kind not in known]:
        raise UserError(f"{file} has no pairs of the kind {strange[0]!r}; it has {', '.join(sorted(known)):.300}.")
    return [MinimalPair(more, less, kind, "", "") for more, less, kind in rows if not kinds or kind in kinds]


def preferences(
    pairs: Sequence[MinimalPair], nats: NDArray[numpy.float64], replicates: int, seed: int
) -> list[dict[str, Any]]:
    """How often the more stereotypical sentence is preferred.

    Args:
        pairs: The pairs.
        nats: `(pairs, 2)`, how unexpected the sentences are, the more stereotypical one first.
        replicates: Samples of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        For each kind, and for all pairs together, the share; `low` and `high` are the ends of a 95% interval.
    """
    preferred, generator = nats[:, 0] < nats[:, 1], numpy.random.default_rng(seed)
    kinds = numpy.array([pair.paradigm for pair in pairs])
    groups = {kind: preferred[kinds == kind] for kind in sorted(set(kinds.tolist()))} | {"all": preferred}
    lines = []
    for kind, group in groups.items():
        low, high = interval([group], replicates, generator)
        lines.append(
            {"kind": kind, "pairs": len(group), "stereotypical": float(group.mean()), "low": low, "high": high}
        )
    return lines


def print_preferences(lines: Sequence[Mapping[str, Any]], model: str) -> None:
    """Print the table."""
    rows = [
        [line["kind"], f"{line['pairs']:,}", f"{line['stereotypical']:.1%}", f"[{line['low']:.1%}, {line['high']:.1%}]"]
        for line in lines
    ]
    print_table(f"Stereotypical sentences preferred by {model}", ["kind", "pairs", "preferred", "interval"], rows)
