"""Parsing as an action."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.engine.component import check_bounds, component


@component("parse")
@dataclass(frozen=True, kw_only=True)
class Parse:
    """Parse the treebanks of the sentence, write them as CoNLL-U, and score them where they have trees.

    Heads, relations and tags are those that are predicted; all other columns, tokens of several words and nodes that
    are not written stay as they are. The scores are those of the official scorer of the CoNLL 2018 shared task; their
    intervals those of a bootstrap of the sentences. Lines go to metrics.jsonl of the run's folder.

    Args:
        splits: Which of the data sets.
        path: The file of each; {run} in it stands for the run's folder, {name} for the name of the set.
        replicates: Samples of the bootstrap; 0 for no intervals.
        overlap: Say how many of the sentences occur in the training text, where that is at hand.
        csv: Write the table to this file, too.
    """

    splits: tuple[str, ...] = ("validation", "test")
    path: str = "{run}/{name}.conllu"
    replicates: int = 1000
    overlap: bool = True
    csv: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, replicates=0)
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
        """Parse, write, score and print.

        Args:
            model: A parser.
            dataset: By split and name.
            dataset_options: The same, not built.
            output: The run's folder.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
        """
        from semeqv.tasks.measures.report import write_csv
        from semeqv.tasks.parsing.parsed import parse_sets, print_lines

        lines = parse_sets(self, model, dataset, dataset_options, folder=output, regime=(device, precision, threads))
        print_lines(lines, model)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)
