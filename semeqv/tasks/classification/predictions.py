"""Writes down what was predicted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import component


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
        """The callback."""
        from semeqv.tasks.classification.writer import PredictionWriter

        return PredictionWriter(self)
