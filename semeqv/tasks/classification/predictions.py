"""Write predictions down."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import to_lines
from semeqv.text.files import writing
from semeqv.train.callbacks.callback import Callback


@component("callbacks predictions")
@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Write what a classifier predicts for every sentence: JSON lines, or CSV with a line for each word or text.

    Args:
        split: Which sets: validation (the last pass stays) or test.
        path: The file, `.jsonl` or `.csv`; {run} in it stands for the run's folder, {name} for the name of the set.
    """

    split: Literal["validation", "test"] = "test"
    path: str = "{run}/predictions-{name}.jsonl"

    def __post_init__(self) -> None:
        if Path(self.path).suffix not in (".jsonl", ".csv"):
            raise ValueError(f"--path {self.path}: write a name that ends in .jsonl or .csv.")

    def build(self) -> Any:
        """Build the callback."""
        return PredictionWriter(self)


class PredictionWriter(Callback):
    """Writes what was predicted in a pass over a validation or test set.

    Args:
        options: Of which sets, and where to.
    """

    def __init__(self, options: "Predictions"):
        super().__init__(options.split, epochs=1)
        self.options = options

    def on_epoch(self, trainer: Any, metrics: Any, name: str | None) -> None:
        """Write the predictions of every run for a set.

        Args:
            trainer: The Trainer.
            metrics: Not used.
            name: The name of the set.

        Raises:
            UserError: When the set is not judged as a whole, or several runs or sets would write one file.
        """
        sets = trainer.validsplits if self.split == "validation" else trainer.testsplits
        for placeholder, several in (("{run}", len(trainer.runs) > 1), ("{name}", len(sets) > 1)):
            if several and placeholder not in self.options.path:
                raise UserError(f"--path {self.options.path} is one file for several; put {placeholder} into it.")
        if not trainer.scorers or not hasattr(trainer.scorers[0], "predictions"):
            raise UserError(f"The {self.split} set {name or ''} has no labels whose predictions could be written.")
        for run, scorer in zip(trainer.runs, trainer.scorers):
            if trainer.world.is_main:
                path = self.options.path.replace("{run}", str(run.path)).replace("{name}", name or self.split)
                write(Path(path), scorer.predictions())


def write(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write predictions, as CSV if the name of the file says so, else as JSON lines."""
    with writing(path) as file:
        if path.suffix == ".csv":
            csv.writer(file, lineterminator="\n").writerows(table(records))
        else:
            file.write(to_lines(records))


def table(records: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    """Yield the rows of the CSV file: a header, then one for each word, or for each text."""
    for number, record in enumerate(records):
        if "words" in record:
            if not number:
                yield ["sentence", "word", "label", "predicted"]
            for row in zip(record["words"], record["labels"], record["predicted"]):
                yield [record["sentence"], *row]
        else:
            if not number:
                yield ["sentence", *(f"text {i}" for i, _ in enumerate(record["texts"], 1)), "label", "predicted"]
            yield [record["sentence"], *record["texts"], record["label"], record["predicted"]]
