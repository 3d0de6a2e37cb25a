"""Parsing as an action."""

from dataclasses import dataclass
from typing import Any

import click

from semeqv.grammar.component import component
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.answering import Answering, Asked, shown
from semeqv.tasks.inference import check_trained, inference, name_of
from semeqv.tasks.overlap import report_overlap
from semeqv.tasks.parsing.batches import TreeBatches, TreeScorer
from semeqv.tasks.parsing.metrics import COUNTED, judged
from semeqv.text.readers.conllu import write_sentences


@component("parse")
@dataclass(frozen=True, kw_only=True)
class Parse(Answering):
    """Parse the treebanks of the sentence, write them as CoNLL-U, and score them where they have trees.

    Heads, relations and, of a parser that tags, tags are those that are predicted; all other columns, tokens of several
    words and nodes that are not written stay as they are. The scores are those of the official scorer of the CoNLL 2018
    shared task; their intervals those of a bootstrap of the sentences. Lines go to metrics.jsonl of the run's folder.

    Args:
        overlap: Say how many of the sentences occur in the training text, where that is at hand.
    """

    path: str = "{run}/{name}.conllu"
    overlap: bool = True

    def answered(self, asked: Asked) -> list[dict[str, Any]]:
        """Parse, write, score and print."""

        return parse_sets(self, asked)


READ = ("input_ids", "words", "attention_mask", "token_type_ids")


def parse_sets(options: "Parse", asked: Asked) -> list[dict[str, Any]]:
    """Parse treebanks, write them, and print their scores.

    Args:
        options: What the command was told.
        asked: A parser, and the treebanks.

    Returns:
        A line for each treebank that has trees.

    Raises:
        UserError: When the model is no parser, there is nothing to parse, or several sets would write one file; or
            (from `check_trained`) it was never trained.
    """
    if not hasattr(asked.model, "parser"):
        raise UserError(f"{type(asked.model).__name__} is no parser; open one by: cli model parser --from RUN")
    check_trained(asked.model)
    lines = list[dict[str, Any]]()
    for sheet in options.sheets(asked, TreeBatches, "There is nothing to parse. Add: cli dataset treebank"):
        data: TreeBatches = sheet.data
        scorer = parse(asked.model, data, asked.regime)
        parsed = scorer.parsed()
        write_sentences(sheet.path, parsed)
        click.echo(f"wrote {sheet.path}")
        if not data.annotated:
            continue
        line = {"split": sheet.split, "name": sheet.name}
        if options.overlap and sheet.split != "train":
            texts = [" ".join(word.form for word in sentence.words) for sentence in data.items]
            said = report_overlap(texts, asked.model, asked.dataset_options, f"sentences of {sheet.called}")
            line |= {key: value for key, value in said.items() if key == "overlap"}
        found = judged(data.items, parsed, tagged=scorer.tagged, replicates=options.replicates)
        sizes = {"sentences": len(data.items), "words": len(data.read), "unread": int((~data.read).sum())}
        lines.append(line | found | sizes)
    print_lines(lines, asked.model)
    return lines


def parse(model: Any, data: TreeBatches, regime: tuple[Any, ...]) -> TreeScorer:
    """Find the tree of every sentence.

    Args:
        model: A parser.
        data: The treebank; its trees are not looked at.
        regime: Device, precision, threads.

    Returns:
        What has seen them all.
    """
    scorer: TreeScorer = data.scorer()
    with inference(model, *regime) as running:
        for batch in Progress(data.batches(), desc="parse", unit="batch", leave=False, disable=None, mininterval=0.5):
            placed = running.place({name: batch[name] for name in READ if name in batch})
            scorer.take(model(**placed), placed)
    return scorer


def print_lines(lines: list[dict[str, Any]], model: Any) -> None:
    """Print the table, when anything was scored."""
    if not lines:
        return
    scores = [name for name in COUNTED[1:] if name in lines[0]]
    rows = [
        [line["name"] or line["split"], *(shown(line, name, ".2%") for name in scores), f"{line['sentences']:,}"]
        for line in lines
    ]
    print_table(f"Trees of {name_of(model)}", ["set", *map(str.upper, scores), "sentences"], rows)
