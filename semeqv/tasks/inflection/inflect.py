"""Inflection as an action."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.engine.component import check_bounds, component


@component("inflect")
@dataclass(frozen=True, kw_only=True)
class Inflect:
    """Let the model write the forms of the data sets of the sentence, and score and write them.

    It always takes the likeliest token. Scores are the share of the forms that are right, and how many characters a
    form is off on average (Levenshtein distance); their intervals are those of a bootstrap of the lemmas, each with all
    its forms. Lines go to metrics.jsonl of the run's folder.

    Args:
        splits: Which of the data sets.
        path: A table of lemma, features, form, and what was written, for each set; {run} in it stands for the run's
            folder, {name} for the name of the set.
        max_new_tokens: The most tokens of a form.
        replicates: Samples of the bootstrap; 0 for no intervals.
        csv: Write the scores to this file, too.
    """

    splits: tuple[str, ...] = ("validation", "test")
    path: str = "{run}/{name}.tsv"
    max_new_tokens: int = 64
    replicates: int = 1000
    csv: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, max_new_tokens=1, replicates=0)
        if strange := set(self.splits) - {"train", "validation", "test"}:
            raise ValueError(f"--splits are train, validation and test, not {min(strange)!r}.")

    def build(
        self,
        *,
        model: Any,
        dataset: Any,
        dataset_options: Any,
        output: Path,
        device: str,
        precision: str,
        threads: int | None,
        record: Callable[..., None],
    ) -> None:
        """Write, score and print.

        Args:
            model: Predicts the next token.
            dataset: By split and name.
            dataset_options: The same, not built; whether lemmas are in the training set is said.
            output: The run's folder.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
        """
        from semeqv.tasks.inflection.inflected import inflect_sets, print_lines
        from semeqv.tasks.measures.report import write_csv

        regime = (device, precision, threads)
        lines = inflect_sets(self, model, dataset, dataset_options, folder=output, regime=regime)
        print_lines(lines, model)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)
