"""What the words alone tell of labels: the floor that a tagger stands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError


@component("majority-labels")
@dataclass(frozen=True, kw_only=True)
class MajorityLabels:
    """Give each word (or text) of the test sets the label that it has most often in the training set, and judge that.

    A word that is not there gets the most frequent label of those that are there once. It is what can be reached
    without looking at the words around. Prints the scores with their intervals, and writes metrics.jsonl.

    Args:
        path: Folder of metrics.jsonl; the run's folder if left out.
    """

    path: Path | None = None

    def build(self, dataset_options: Mapping[tuple[str, str | None], Any], output: Path | None = None) -> None:
        """Count, judge, print and write.

        Args:
            dataset_options: The training set and the test sets.
            output: The run's folder.

        Raises:
            UserError: When there is no training set, no test set or no folder, or (from `check_no_overlap`) a test set
                is the training set.
        """
        from semeqv.tasks.classification.metrics import judge_majority, write_scores
        from semeqv.tasks.classification.reading import check_no_overlap

        sets = {key: each for key, each in dataset_options.items() if hasattr(each, "every_label")}
        train = next((each for (split, _), each in sets.items() if split == "train"), None)
        tests = {name: each for (split, name), each in sets.items() if split == "test"}
        folder = self.path or output
        if train is None or not tests:
            raise UserError("`cli majority-labels` needs a labelled training set and one with --split test.")
        if folder is None:
            raise UserError("Say where to write the scores: --output before the first `cli`, or --path.")
        for test in tests.values():
            check_no_overlap(test, {("train", None): train})
        write_scores(folder, {name: judge_majority(train, each) for name, each in tests.items()})
