"""CrowS-Pairs as an action."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.engine.component import check_bounds, component


@component("backpack crows-pairs")
@dataclass(frozen=True, kw_only=True)
class CrowsPairs:
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
        csv: Write the table to this file, too.
    """

    path: Path | None = None
    kinds: tuple[str, ...] = ()
    batch_size: int = 64
    replicates: int = 1000
    csv: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, batch_size=1, replicates=1)

    def build(
        self,
        *,
        model: Any,
        device: str,
        precision: str,
        threads: int | None,
        seed: int,
        record: Callable[..., None],
        tokenizer: Any = None,
    ) -> None:
        """Measure, print the table, and write it.

        Args:
            model: Predicts tokens.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            seed: Of the bootstrap.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from backpack.edits.stereotypes import preferences, print_preferences, read_pairs
        from semeqv.tasks.likelihood.minimal_pairs import scored
        from semeqv.tasks.measures.inference import inference, name_of
        from semeqv.tasks.measures.report import write_csv
        from semeqv.text.generation import tokenizer_of

        tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
        pairs = read_pairs(self.path, self.kinds)
        with inference(model, device, precision, threads) as regime:
            nats = scored(pairs, model, tokenizer, regime, self.batch_size)
        lines = preferences(pairs, nats, self.replicates, seed)
        print_preferences(lines, name_of(model))
        record([{"measure": "crows-pairs", "model": name_of(model), **line} for line in lines])
        if self.csv is not None:
            write_csv(self.csv, lines)
