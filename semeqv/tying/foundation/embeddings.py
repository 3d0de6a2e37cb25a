"""The study as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component


@component("foundation-embeddings")
@dataclass(frozen=True, kw_only=True)
class FoundationEmbeddings:
    """Measure how close equivalent tokens are in the input and in the output embedding of a model.

    Equivalents are found by spelling in the vocabulary of the tokenizer: case variants (dog, Dog, DOG), the same
    letters with and without a space before them (or ## inside a word), and English inflections in -s, -ed and -ing,
    among which a few are none (new, news). Each is compared with a random pair: the same first token, and a second one
    that is written the same way and about as frequent, as far as ids follow frequency. Also says whether the two
    embeddings are tied. Writes foundation.json, foundation.csv and foundation_pairs.csv; `cli foundation-view` draws
    them.

    Args:
        path: Folder of the files; `foundation` in the run's folder if left out.
        shortest: The fewest letters of a token.
        neighbours: The random second token is drawn from so many that are nearest in id.
        replicates: Bootstrap replicates of each confidence interval.
    """

    path: Path | None = None
    shortest: int = 3
    neighbours: int = 100
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, shortest=1, neighbours=2, replicates=1)

    def build(self, model: Any, seed: int, output: Path | None, tokenizer: Any = None) -> None:
        """Measure, print the table, and write the files.

        Args:
            model: Says which its embeddings are.
            seed: Of the run; the random pairs and the bootstrap follow it.
            output: The run's folder.
            tokenizer: Of the run; the one in the model's folder if None.
        """
        from semeqv.tying.foundation.report import print_study, write_study
        from semeqv.tying.foundation.study import study

        found = study(self, model, tokenizer, seed)
        print_study(found)
        write_study(found, self.path or (output or Path()) / "foundation")
