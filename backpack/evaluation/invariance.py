"""What sense indices mean in two languages, as an action."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.engine.component import check_bounds, component


@component("backpack invariance")
@dataclass(frozen=True, kw_only=True)
class Invariance:
    """Measure whether a sense index of a Backpack means the same in two languages, by words and their translations.

    The mean cosine of equal sense indices of translations stands beside that of different indices, and beside that of
    equal indices of words that are no translations, which tells what an index has in common in all words. Two
    permutation tests, each of one side: indices are dealt out anew within every translation, or translations among the
    words. `centred` is the same after the mean of each index in each language is taken off. As they are, senses of any
    two words are alike where an index has something in common in all words, and the first test then says nothing of
    translations; the second does. Pairs are those of a dictionary, or of `cli dataset babel`: words with one sense, and
    their one translation. Lines go to metrics.jsonl of the run's folder.

    Args:
        path: A dictionary with tabs, a word and a translation on each line, or its place under $SEMEQV_DATA, such as
            dict_freedict/eng-fra.tsv; the generated corpus if left out. Entries of several words are left out.
        pairs: The first so many pairs; 0 for all.
        pieces: For words of several tokens: the mean of their senses, or what they compose.
        single: Leave words of several tokens out.
        shared_tokens: Keep pairs that have a token in common, as words that are written alike have: their senses are
            alike before any training.
        permutations: Of each test.
        csv: Write the table to this file, too.
    """

    path: Path | None = None
    pairs: int = 2000
    pieces: Literal["averaged", "composed"] = "averaged"
    single: bool = False
    shared_tokens: bool = False
    permutations: int = 999
    csv: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, pairs=0, permutations=1)

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
            seed: Of the permutations.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from backpack.evaluation.invariance_report import measure, print_lines
        from semeqv.tasks.measures.report import write_csv
        from semeqv.text.generation import tokenizer_of

        tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
        lines = measure(self, model, tokenizer, dataset_options, seed=seed, regime=(device, precision, threads))
        print_lines(lines)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)
