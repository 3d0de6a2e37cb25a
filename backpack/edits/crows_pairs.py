"""CrowS-Pairs as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


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
        from backpack.edits.stereotypes import preferences, print_preferences, read_pairs
        from semeqv.tasks.inference import inference, name_of
        from semeqv.tasks.likelihood.minimal_pairs import scored

        pairs, model = read_pairs(self.path, self.kinds), subject.model
        with inference(model, *subject.regime) as running:
            nats = scored(pairs, model, subject.tokenizer, running, self.batch_size)
        lines = preferences(pairs, nats, self.replicates, subject.seed)
        print_preferences(lines, name_of(model))
        return [{"measure": "crows-pairs", "model": name_of(model), **line} for line in lines]
