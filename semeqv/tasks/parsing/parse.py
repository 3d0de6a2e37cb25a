"""Parsing as an action."""

from dataclasses import dataclass
from typing import Any

from semeqv.grammar.component import component
from semeqv.tasks.answering import Answering, Asked


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
        from semeqv.tasks.parsing.parsed import parse_sets

        return parse_sets(self, asked)
