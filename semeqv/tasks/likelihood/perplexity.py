"""Perplexity as an action."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component


@component("perplexity")
@dataclass(frozen=True, kw_only=True)
class Perplexity:
    """Measure the perplexity of the model on the data sets of the sentence, language by language.

    Every token of a set is predicted once, however rows are cut, and counts alike: perplexity is the exponential of the
    nats of all predicted tokens over their number. The token that ends a document is predicted too, as in training; it
    is a token without bytes of its own, so that bits per byte spread its nats over the bytes of the text. What stands
    first in the text, or first in a document when none is packed, is given. Sets of the generated corpus have the least
    perplexity that any model can reach beside theirs. Lines go to metrics.jsonl of the run's folder.

    Args:
        splits: Which of the data sets.
        stride: Tokens from one window on the text to the next, below --block_size: windows overlap, each predicts the
            tokens that the last one did not see, and all but the first of a text have so much more context. As long as
            can be if left out.
        separators: Predict, and count, the token that ends a document.
        pseudo: For a model that predicts masked tokens: pseudo-perplexity, each token hidden by itself (Salazar et al.,
            2020, arXiv 1910.14659), in a forward pass of its own. Special tokens are not predicted.
        words: Also say perplexity by words: what stands between blanks, and each end of a line, as WikiText counts.
        bound: Let the bound of the generated corpus be exact: that of all documents, not of the first 1,000.
        overlap: Say how many lines of a set occur in the training text, where that is at hand.
        csv: Write the table to this file, too.
    """

    splits: tuple[str, ...] = ("validation", "test")
    stride: int | None = None
    separators: bool = True
    pseudo: bool = False
    words: bool = False
    bound: bool = False
    overlap: bool = True
    csv: Path | None = None

    def __post_init__(self) -> None:
        if strange := set(self.splits) - {"train", "validation", "test"}:
            raise ValueError(f"--splits are train, validation and test, not {min(strange)!r}.")
        check_bounds(self, stride=1)

    def build(
        self,
        *,
        model: Any,
        dataset: Any,
        dataset_options: Any,
        device: str,
        precision: str,
        threads: int | None,
        record: Callable[..., None],
        tokenizer: Any = None,
    ) -> None:
        """Measure, print the table, and write it.

        Args:
            model: Predicts tokens.
            dataset: By split and name.
            dataset_options: The same, not built.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from semeqv.runs.files import write_csv
        from semeqv.tasks.inference import with_new_weights
        from semeqv.tasks.likelihood.perplexity_report import measure_sets, print_lines

        regime = device, precision, threads
        lines = measure_sets(self, model, tokenizer, dataset=dataset, dataset_options=dataset_options, regime=regime)
        print_lines(lines)
        lines = with_new_weights(lines, model)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)
