"""The baseline of words alone: each word gets its most frequent label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semeqv.grammar.action import Result, action
from semeqv.lazy import numpy, rich
from semeqv.results.tables import cell, console
from semeqv.runs.errors import UserError
from semeqv.tasks.answering import Datasets
from semeqv.tasks.classification.metrics import score_labels

if TYPE_CHECKING:
    from semeqv.tasks.classification.dataset import Item, Labelled


@dataclass(frozen=True)
class MajorityScores(Result):
    """Scores of the most frequent labels.

    Args:
        scores: Of each test set, by its name.
    """

    scores: Mapping[str | None, Mapping[str, float]]

    def show(self) -> None:
        """Print the table."""
        print_scores(self.scores)

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each test set."""
        return [
            {"epoch": 0, "step": 0, "split": "test", "name": name, **scores} for name, scores in self.scores.items()
        ]


@action("majority-labels")
def majority_labels(dataset_options: Datasets) -> MajorityScores:
    """Give each word (or text) of the test sets the label that it has most often in the training set, and judge that.

    A word that is not there gets the most frequent label of those that are there once. It is what can be reached
    without looking at the words around. The scores and their intervals go to the metrics.jsonl of the run.

    Args:
        dataset_options: The training set and the test sets, by split and name.

    Returns:
        The scores of the test sets.

    Raises:
        UserError: When there is no training set or no test set, or (from `check_no_overlap`) a test set is the training
            set.
    """
    from semeqv.tasks.classification.dataset import check_no_overlap

    sets = {key: options for key, options in dataset_options.items() if hasattr(options, "every_label")}
    train = next((options for (split, _), options in sets.items() if split == "train"), None)
    tests = {name: options for (split, name), options in sets.items() if split == "test"}
    if train is None or not tests:
        raise UserError("`cli majority-labels` needs a labelled training set and one with --split test.")
    for test in tests.values():
        check_no_overlap(test, {("train", None): train})
    return MajorityScores({name: judge_majority(train, test) for name, test in tests.items()})


def judge_majority(train: Labelled, test: Labelled) -> dict[str, float]:
    """Score the most frequent labels of a training set on a test set.

    Args:
        train: The training set.
        test: The test set.

    Returns:
        Its scores, with their intervals where the test set asks for them.
    """
    from semeqv.tasks.classification.dataset import decided_labels, items, numbered

    names = decided_labels(test, {("train", None): train}, None)
    known, fallback = most_frequent(train)
    number = {name: place for place, name in enumerate(names)}
    read = items(test)
    predicted = [number[known.get(thing, fallback)] for item in read for thing in things(test, item)]
    sizes = numpy.array([len(item.labels) for item in read])
    gold = numbered(test, read, names)
    return score_labels(gold, numpy.array(predicted), sizes, names, entities=test.entities, replicates=test.replicates)


def most_frequent(train: Labelled) -> tuple[dict[str, str], str]:
    """Return the most frequent label of each word (or text), and that of words that are there once."""
    from semeqv.tasks.classification.dataset import items

    counts = dict[str, Counter[str]]()
    for item in items(train):
        for thing, label in zip(things(train, item), item.labels):
            if label is not None:
                counts.setdefault(thing, Counter())[label] += 1
    rare = Counter(label for each in counts.values() for label in each if each.total() == 1)
    known = {thing: each.most_common(1)[0][0] for thing, each in counts.items()}
    totals = sum(counts.values(), Counter[str]())
    return known, (rare or totals).most_common(1)[0][0]


def things(options: Labelled, item: Item) -> tuple[str, ...]:
    """Return what is labelled: words, or texts as a whole."""
    return item.texts if options.of_words else ("\n".join(item.texts),)


def print_scores(scores_of: Mapping[str | None, Mapping[str, float]]) -> None:
    """Print the scores of test sets, by the name of each."""
    table = rich.table.Table(
        title="most frequent labels", title_justify="left", box=None, pad_edge=False, header_style="bold"
    )
    table.add_column("set")
    columns = [score for score in next(iter(scores_of.values())) if not score.endswith(("_low", "_high"))]
    for score in columns:
        table.add_column(score, justify="right")
    for name, scores in scores_of.items():
        values = {score: [value] for score, value in scores.items()}
        table.add_row(name or "", *(cell(values, score, 0) for score in columns))
    console().print(table)
