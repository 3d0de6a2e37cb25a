"""Parsing: find the trees of sentences, write them, and score them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from semeqv.grammar.action import AtLeast, Result, action
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.answering import Datasets, answer_sheets, check_splits, with_interval
from semeqv.tasks.inference import check_trained, inference, name_of, with_new_weights
from semeqv.tasks.overlap import report_overlap
from semeqv.tasks.parsing.metrics import COUNTED, score_trees
from semeqv.text.readers.conllu import write_sentences
from semeqv.text.records import Sentence
from semeqv.train.compute import Compute

if TYPE_CHECKING:
    from semeqv.tasks.parsing.batches import TreeBatches, TreeScorer

INPUTS = ("input_ids", "words", "attention_mask", "token_type_ids")


@dataclass(frozen=True)
class ParseScores(Result):
    """The trees that a parser found, and their scores.

    Args:
        model: What the model is called.
        lines: The scores of each treebank that has trees, as JSON.
        parsed: The sentences with the trees that were found, by the file that they were written to.
    """

    model: str
    lines: list[dict[str, Any]]
    parsed: Mapping[Path, Sequence[Sentence]]

    @property
    def las(self) -> float:
        """The labelled attachment score of the first treebank."""
        return float(self.lines[0]["las"])

    @property
    def uas(self) -> float:
        """The unlabelled attachment score of the first treebank."""
        return float(self.lines[0]["uas"])

    def show(self) -> None:
        """Print the files, and the table of scores when anything was scored."""
        for path in self.parsed:
            click.echo(f"wrote {path}")
        if self.lines:
            print_lines(self.lines, self.model)

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each treebank that has trees."""
        return self.lines


@action("parse", check=check_splits)
def parse(
    model: Any,
    dataset: Datasets,
    dataset_options: Datasets | None = None,
    compute: Compute = Compute(),
    output: Path = Path(),
    *,
    splits: tuple[str, ...] = ("validation", "test"),
    path: str = "{run}/{name}.conllu",
    overlap: bool = True,
    replicates: Annotated[int, AtLeast(0)] = 1000,
) -> ParseScores:
    """Parse the treebanks of the sentence, write them as CoNLL-U, and score them where they have trees.

    Heads, relations and, of a parser that tags, tags are those that are predicted; all other columns, tokens of several
    words and nodes that are not written stay as they are. The scores are those of the official scorer of the CoNLL 2018
    shared task; their intervals those of a bootstrap of the sentences. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A parser.
        dataset: The data sets by split and name.
        dataset_options: Their options; the training set is compared with the sentences.
        compute: Where to compute.
        output: The folder that {run} stands for.
        splits: Which of the data sets.
        path: The file of each; {run} in it stands for the run's folder, {name} for the name of the set.
        overlap: Say how many of the sentences occur in the training text, where that is at hand.
        replicates: Samples of the bootstrap; 0 for no intervals.

    Returns:
        The trees and their scores.

    Raises:
        UserError: When the model is no parser, there is nothing to parse, or several sets would write one file; or
            (from `check_trained`) it was never trained.
    """
    from semeqv.tasks.parsing.batches import TreeBatches

    if not hasattr(model, "parser"):
        raise UserError(f"{type(model).__name__} is no parser; open one by: cli model parser --from RUN")
    check_trained(model)
    lines, parsed = list[dict[str, Any]](), dict[Path, list[Sentence]]()
    missing = "There is nothing to parse. Add: cli dataset treebank"
    for sheet in answer_sheets(dataset, TreeBatches, splits=splits, path=path, folder=output, missing=missing):
        data: TreeBatches = sheet.data
        scorer = find_trees(model, data, compute)
        sentences = parsed[sheet.path] = scorer.parsed()
        write_sentences(sheet.path, sentences)
        if not data.annotated:
            continue
        line = {"split": sheet.split, "name": sheet.name}
        if overlap and sheet.split != "train":
            texts = [" ".join(word.form for word in sentence.words) for sentence in data.items]
            facts = report_overlap(texts, model, dataset_options, f"sentences of {sheet.label}")
            line |= {key: value for key, value in facts.items() if key == "overlap"}
        scores = score_trees(data.items, sentences, tagged=scorer.tagged, replicates=replicates)
        sizes = {"sentences": len(data.items), "words": len(data.read), "unread": int((~data.read).sum())}
        lines.append(line | scores | sizes)
    return ParseScores(name_of(model), with_new_weights(lines, model), parsed)


def find_trees(model: Any, data: TreeBatches, compute: Compute) -> TreeScorer:
    """Find the tree of every sentence.

    Args:
        model: A parser.
        data: The treebank; its trees are not looked at.
        compute: Where to compute.

    Returns:
        The scorer, which has seen all sentences.
    """
    scorer: TreeScorer = data.scorer()
    with inference(model, compute) as regime:
        for batch in Progress(data.batches(), desc="parse", unit="batch", leave=False, disable=None, mininterval=0.5):
            placed = regime.place({name: batch[name] for name in INPUTS if name in batch})
            scorer.take(model(**placed), placed)
    return scorer


def print_lines(lines: Sequence[Mapping[str, Any]], model: str) -> None:
    """Print the table."""
    scores = [name for name in COUNTED[1:] if name in lines[0]]
    rows = [
        [
            line["name"] or line["split"],
            *(with_interval(line, name, ".2%") for name in scores),
            f"{line['sentences']:,}",
        ]
        for line in lines
    ]
    print_table(f"Trees of {model}", ["set", *map(str.upper, scores), "sentences"], rows)
