"""Lexicon induction as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("backpack lexical")
@dataclass(frozen=True, kw_only=True)
class Lexical(Measuring):
    """Measure how often the nearest words hold a translation, by each sense index of a Backpack.

    For each word of a dictionary, the words of the other side are sorted by their cosine: of one sense index, of all
    indices (the mean of their cosines), of the input embedding, which is all that other models have. Precision at k is
    the share of words with a right one among the k nearest; what k random words reach stands beside it. Any list of
    related words will do in place of a dictionary, for relations within a language. The index that does best is chosen
    by this very test: judge it on another list. Intervals are those of a bootstrap of the words. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        path: A word and a related word on each line, a tab between them; here, or under $SEMEQV_DATA. Entries of
            several words are left out.
        k: The sizes of the lists.
        words: The first so many words of the list that are left; 0 for all. All second words of the list remain.
        single: Leave words of several tokens out.
        shared_tokens: Keep pairs that have a token in common, as words that are written alike have: their vectors are
            alike before any training. Else a word of such a pair is no candidate for the other one.
        pieces: For words of several tokens: the mean of their vectors, or what they compose in a Backpack.
        replicates: Samples of the bootstrap.
    """

    path: Path = Path("dict_freedict/eng-fra.tsv")
    k: tuple[int, ...] = (1, 5, 10)
    words: int = 2000
    single: bool = False
    shared_tokens: bool = False
    pieces: Literal["averaged", "composed"] = "averaged"
    replicates: int = 1000

    def __post_init__(self) -> None:
        if min(self.k, default=0) < 1:
            raise ValueError("--k takes one or more sizes, each at least 1.")
        check_bounds(self, words=0, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""
        from backpack.evaluation.lexical_report import measure, print_lines

        lines = measure(self, subject)
        print_lines(lines, self.k)
        return lines
