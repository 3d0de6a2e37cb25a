"""Telling the senses of homonyms apart, as an action."""

from dataclasses import dataclass
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("backpack disambiguation")
@dataclass(frozen=True, kw_only=True)
class Disambiguation(Measuring):
    """Measure how well a model tells the senses of homonyms apart in sentences of the generated corpus.

    The occurrences of each homonym are parted by 2-means and compared with their senses: V-measure (Rosenberg &
    Hirschberg, 2007), corrected for chance: 0 is what clusters of these sizes reach when senses are dealt out anew, 1
    is perfect. Clustered are the weights (alpha) that a Backpack gives to the senses of the word, on average over the
    positions from the word to the end of its sentence; and the last states of any model, of a Backpack those of its
    trunk, likewise averaged, and at the word itself. Beside them stands the best possible reader, who knows the grammar
    and the sentence. The sentence needs `cli dataset babel --split validation`. Intervals are those of a bootstrap of
    the words. Lines go to metrics.jsonl of the run's folder.

    Args:
        occurrences: Those that a word must have.
        each_sense: Those that each of its two senses must have.
        shuffles: How often senses are dealt out anew, for each word.
        batch_size: Sentences at a time.
        replicates: Samples of the bootstrap.
    """

    occurrences: int = 20
    each_sense: int = 5
    shuffles: int = 50
    batch_size: int = 64
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, occurrences=2, each_sense=1, shuffles=1, batch_size=1, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""
        from backpack.evaluation.disambiguation_report import measure, print_lines

        lines = measure(self, subject)
        print_lines(lines)
        return lines
