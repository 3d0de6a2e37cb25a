"""CrowS-Pairs as an action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import NDArray, numpy
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import inference, name_of
from semeqv.tasks.likelihood.minimal_pairs import MinimalPair, scored
from semeqv.text.location import locate
from semeqv.text.readers.table import read_rows


@component("backpack crows-pairs")
@dataclass(frozen=True, kw_only=True)
class CrowsPairs(Measuring):
    """Measure how often a model finds the more stereotypical of two sentences the more probable one.

    The pairs are those of CrowS-Pairs (Nangia et al., 2020, arXiv 2010.00133), in nine kinds; a model without a
    preference has 50%. What counts is the log-likelihood of the whole sentence; for a model that predicts masked
    tokens, its pseudo-log-likelihood. Not every pair tells what it is meant to tell (Blodgett et al., 2021,
    "Stereotyping Norwegian Salmon"). Any language model is measured, with or without edits. Intervals are those of a
    bootstrap of the pairs. Lines go to metrics.jsonl of the run's folder.

    Args:
        path: The table, with the columns `sent_more`, `sent_less` and `bias_type`;
            `bias_crows_pairs/crows_pairs_anonymized.csv` under $SEMEQV_DATA if left out.
        kinds: Only these, such as gender.
        batch_size: Sentences at a time.
        replicates: Samples of the bootstrap.
    """

    path: Path | None = None
    kinds: tuple[str, ...] = ()
    batch_size: int = 64
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, batch_size=1, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""
        pairs, model = read_pairs(self.path, self.kinds), subject.model
        with inference(model, *subject.regime) as running:
            nats = scored(pairs, model, subject.tokenizer, running, self.batch_size)
        lines = preferences(pairs, nats, self.replicates, subject.seed)
        print_preferences(lines, name_of(model))
        return [{"measure": "crows-pairs", "model": name_of(model), **line} for line in lines]


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
