"""Coverage of known senses, as an action."""

from dataclasses import dataclass
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("backpack coverage")
@dataclass(frozen=True, kw_only=True)
class Coverage(Measuring):
    """Measure whether both senses of homonyms are among the senses of a Backpack, on the generated corpus.

    Homonyms here are dictionary forms of two nouns, of different topics. A sense vector speaks of a topic when that has
    at least --share of the --top nouns that the vector predicts most, beyond what the same index of the mean noun
    predicts; the word itself is left out. `both` is the share of homonyms with some sense that speaks of the one topic
    and some of the other; `distinct`, where the index that is strongest for the one, by the mean score of its nouns in
    standard deviations, is another one than for the other. Chance is told by two controls: the vectors of
    another homonym, asked for these topics; and nouns of one sense, asked for its topic and a random one. The sentence
    needs `cli dataset babel --split validation`, which says the grammar. Intervals are those of a bootstrap of the
    words. Lines go to metrics.jsonl of the run's folder.

    Args:
        top: The size of the list of nouns.
        share: The share of the list that must be of a topic.
        replicates: Samples of the bootstrap.
    """

    top: int = 10
    share: float = 0.4
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, top=1, replicates=1)
        if not 0 < self.share <= 1:
            raise ValueError(f"--share must be above 0 and at most 1, not {self.share}.")

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""
        from backpack.evaluation.coverage_report import measure, print_lines

        lines = measure(self, subject)
        print_lines(lines)
        return lines
