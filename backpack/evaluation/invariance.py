"""What sense indices mean in two languages, as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("backpack invariance")
@dataclass(frozen=True, kw_only=True)
class Invariance(Measuring):
    """Measure whether a sense index of a Backpack means the same in two languages, by words and their translations.

    The mean cosine of equal sense indices of translations stands beside that of different indices, and beside that of
    equal indices of words that are no translations, which tells what an index has in common in all words. Two
    permutation tests, each of one side: indices are dealt out anew within every translation, or translations among the
    words. `centred` is the same after the mean of each index in each language is taken off. As they are, senses of any
    two words are alike where an index has something in common in all words, and the first test then says nothing of
    translations; the second does. Pairs are those of a dictionary, or of `cli dataset babel`: words with one sense, and
    their one translation. Lines go to metrics.jsonl of the run's folder.

    Args:
        path: A dictionary with tabs, a word and a translation on each line, or its place under $SEMEQV_DATA, such as
            dict_freedict/eng-fra.tsv; the generated corpus if left out. Entries of several words are left out.
        pairs: The first so many pairs; 0 for all.
        pieces: For words of several tokens: the mean of their senses, or what they compose.
        single: Leave words of several tokens out.
        shared_tokens: Keep pairs that have a token in common, as words that are written alike have: their senses are
            alike before any training.
        permutations: Of each test.
    """

    path: Path | None = None
    pairs: int = 2000
    pieces: Literal["averaged", "composed"] = "averaged"
    single: bool = False
    shared_tokens: bool = False
    permutations: int = 999

    def __post_init__(self) -> None:
        check_bounds(self, pairs=0, permutations=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""
        from backpack.evaluation.invariance_report import measure, print_lines

        lines = measure(self, subject)
        print_lines(lines)
        return lines
