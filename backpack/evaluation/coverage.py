"""Coverage of known senses, as an action."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.engine.component import check_bounds, component


@component("backpack coverage")
@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Measure whether both senses of homonyms are among the senses of a Backpack, on the generated corpus.

    Homonyms here are dictionary forms of two nouns, of different topics. A sense vector speaks of a topic when that has
    at least --share of the --top nouns that the vector predicts most, beyond what the same index of the mean noun
    predicts; the word itself is left out. `both` is the share of homonyms with some sense that speaks of the one topic
    and some of the other; `distinct`, where the index that is strongest for the one, by the mean score of its nouns in
    standard deviations, is another one than for the other. Chance is told by two controls: the vectors of
    another homonym, asked for these topics; and nouns of one sense, asked for its topic and a random one. The sentence
    needs `cli dataset babel --split validation`, which says the grammar. Intervals are those of a bootstrap of the
    words. Lines go to metrics.jsonl of the run's folder.

    Args:
        top: The size of the list of nouns.
        share: The share of the list that must be of a topic.
        replicates: Samples of the bootstrap.
        csv: Write the table to this file, too.
    """

    top: int = 10
    share: float = 0.4
    replicates: int = 1000
    csv: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, top=1, replicates=1)
        if not 0 < self.share <= 1:
            raise ValueError(f"--share must be above 0 and at most 1, not {self.share}.")

    def build(
        self,
        *,
        model: Any,
        dataset_options: Any,
        seed: int,
        device: str,
        precision: str,
        threads: int | None,
        record: Callable[..., None],
        tokenizer: Any = None,
    ) -> None:
        """Measure, print the table, and write it.

        Args:
            model: A Backpack.
            dataset_options: The data sets of the sentence, not built.
            seed: Of the controls and the bootstrap.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from backpack.evaluation.coverage_report import measure, print_lines
        from semeqv.tasks.measures.report import write_csv
        from semeqv.text.generation import tokenizer_of

        tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
        lines = measure(self, model, tokenizer, dataset_options, seed=seed, regime=(device, precision, threads))
        print_lines(lines)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)
