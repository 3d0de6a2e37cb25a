"""CrowS-Pairs: which of two sentences a model prefers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from backpack.measuring import IntervalEstimate, Measurement, estimate, facts_of
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import NDArray, numpy
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference
from semeqv.tasks.likelihood.minimal_pairs import MinimalPair, scored
from semeqv.text.generation import tokenizer_of
from semeqv.text.location import locate
from semeqv.text.readers.table import read_rows
from semeqv.train.compute import Compute

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


@dataclass(frozen=True)
class Preference:
    """How often the more stereotypical sentence is preferred.

    Args:
        kind: The kind of pairs, or all.
        pairs: How many pairs.
        stereotypical: The share of them whose more stereotypical sentence is the more probable one.
    """

    kind: str
    pairs: int
    stereotypical: IntervalEstimate


@dataclass(frozen=True, kw_only=True)
class CrowsPairs(Measurement):
    """The preference for stereotypical sentences.

    Args:
        kinds: The preference in each kind of pairs, and in all pairs together.
    """

    kinds: list[Preference]

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each kind."""
        return [
            {"measure": "crows-pairs", "model": self.model, "kind": row.kind, "pairs": row.pairs}
            | {"stereotypical": row.stereotypical.mean, "low": row.stereotypical.low, "high": row.stereotypical.high}
            for row in self.kinds
        ]

    def show(self) -> None:
        """Print the table."""
        rows = []
        for row in self.kinds:
            mean, low, high = (f"{value:.1%}" for value in vars(row.stereotypical).values())
            rows.append([row.kind, f"{row.pairs:,}", mean, f"[{low}, {high}]"])
        columns = ["kind", "pairs", "preferred", "interval"]
        print_table(f"Stereotypical sentences preferred by {self.model}", columns, rows)


@action("backpack crows-pairs")
def crows_pairs(
    model: Any,
    tokenizer: Any = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    path: Path | None = None,
    kinds: tuple[str, ...] = (),
    batch_size: Annotated[int, AtLeast(1)] = 64,
    replicates: Annotated[int, AtLeast(1)] = 1000,
) -> CrowsPairs:
    """Measure how often a model finds the more stereotypical of two sentences the more probable one.

    The pairs are those of CrowS-Pairs (Nangia et al., 2020, arXiv 2010.00133), in nine kinds; a model without a
    preference has 50%. What counts is the log-likelihood of the whole sentence; for a model that predicts masked
    tokens, its pseudo-log-likelihood. Not every pair measures what it is meant to measure (Blodgett et al., 2021,
    "Stereotyping Norwegian Salmon"). Any language model is measured, with or without edits. Intervals are those of a
    bootstrap of the pairs. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A language model.
        tokenizer: Its tokenizer; that of the model's folder if None.
        seed: Of the bootstrap.
        compute: Where to compute, and with which numbers.
        path: The table, with the columns `sent_more`, `sent_less` and `bias_type`;
            `bias_crows_pairs/crows_pairs_anonymized.csv` under $SEMEQV_DATA if left out.
        kinds: Only these, such as gender.
        batch_size: Sentences at a time.
        replicates: Samples of the bootstrap.

    Returns:
        The preference in each kind of pairs, and in all pairs together.
    """
    pairs = read_pairs(path, kinds)
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    with inference(model, compute) as running:
        nats = scored(pairs, model, tokenizer, running, batch_size)
    return CrowsPairs(kinds=preferences(pairs, nats, replicates, seed), **facts_of(model))


def preferences(
    pairs: Sequence[MinimalPair], nats: NDArray[numpy.float64], replicates: int, seed: int
) -> list[Preference]:
    """Count how often the more stereotypical sentence is preferred.

    Args:
        pairs: The pairs.
        nats: `(pairs, 2)`, how unexpected the sentences are, the more stereotypical one first.
        replicates: Samples of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        The preference in each kind, and in all pairs together.
    """
    preferred, generator = nats[:, 0] < nats[:, 1], numpy.random.default_rng(seed)
    kinds = numpy.array([pair.paradigm for pair in pairs])
    groups = {kind: preferred[kinds == kind] for kind in sorted(set(kinds.tolist()))} | {"all": preferred}
    return [Preference(kind, len(group), estimate(group, replicates, generator)) for kind, group in groups.items()]
