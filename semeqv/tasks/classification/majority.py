"""What the words alone tell of labels: the floor that a tagger stands on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semeqv.lazy import numpy, rich
from semeqv.results.tables import cell, console
from semeqv.runs.json_lines import write_lines
from semeqv.runs.reading import METRICS
from semeqv.tasks.classification.dataset import decided_labels, items, numbered

if TYPE_CHECKING:
    from semeqv.tasks.classification.dataset import Item, Labelled
from dataclasses import dataclass

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.metrics import judged


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
        from semeqv.tasks.classification.dataset import check_no_overlap

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


def judge_majority(train: Labelled, test: Labelled) -> dict[str, float]:
    """Judge the most frequent labels of a training set on a test set.

    Args:
        train: The training set.
        test: The test set.

    Returns:
        Its scores, with their intervals where the test set asks for them.
    """
    names = decided_labels(test, {("train", None): train}, None)
    known, other = most_frequent(train)
    number = {name: place for place, name in enumerate(names)}
    read = items(test)
    predicted = [number[known.get(thing, other)] for item in read for thing in things(test, item)]
    sizes = numpy.array([len(item.labels) for item in read])
    gold = numbered(test, read, names)
    return judged(gold, numpy.array(predicted), sizes, names, entities=test.entities, replicates=test.replicates)


def most_frequent(train: Labelled) -> tuple[dict[str, str], str]:
    """The most frequent label of each word (or text), and that of words that are there once."""
    counts = dict[str, Counter[str]]()
    for item in items(train):
        for thing, label in zip(things(train, item), item.labels):
            if label is not None:
                counts.setdefault(thing, Counter())[label] += 1
    rare = Counter(label for each in counts.values() for label in each if each.total() == 1)
    known = {thing: each.most_common(1)[0][0] for thing, each in counts.items()}
    every = sum(counts.values(), Counter[str]())
    return known, (rare or every).most_common(1)[0][0]


def things(options: Labelled, item: Item) -> tuple[str, ...]:
    """What is labelled: words, or texts as a whole."""
    return item.texts if options.of_words else ("\n".join(item.texts),)


def write_scores(folder: Path, found: Mapping[str | None, Mapping[str, float]]) -> None:
    """Print the scores of test sets, and write them as metrics.jsonl.

    Args:
        folder: Where to.
        found: By the name of each set.
    """
    table = rich.table.Table(
        title="most frequent labels", title_justify="left", box=None, pad_edge=False, header_style="bold"
    )
    table.add_column("set")
    shown = [score for score in next(iter(found.values())) if not score.endswith(("_low", "_high"))]
    for score in shown:
        table.add_column(score, justify="right")
    for name, scores in found.items():
        values = {score: [value] for score, value in scores.items()}
        table.add_row(name or "", *(cell(values, score, 0) for score in shown))
    console().print(table)
    lines = [{"epoch": 0, "step": 0, "split": "test", "name": name, **scores} for name, scores in found.items()]
    write_lines(folder / METRICS, lines)
