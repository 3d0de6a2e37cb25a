"""Word vectors as a model, as an action."""

from dataclasses import dataclass
from pathlib import Path

from semeqv.grammar.component import check_bounds, component


@component("ofa bag")
@dataclass(frozen=True, kw_only=True)
class Bag:
    """Write word vectors as a model without layers, which any action opens: a text is the mean of its words.

    It stands beside models that were given a new vocabulary by the same vectors, and tells what these know by
    themselves: `cli model load --from FOLDER cli retrieval`, `cli model token-classifier --from FOLDER`. Like OFA, it
    does not know in which language a text is: a word of several languages has the mean of their vectors. Its rows are
    never trained.

    Args:
        vectors: Word vectors, the most frequent word first.
        output: The folder of the model, which `from_pretrained` opens after `import ofa`.
        smoothing: Weigh a word by a / (a + its share of the text), a being this number (smooth inverse frequency;
            Arora, Liang & Ma, 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings"); the share is
            Zipf's, from the word's place in the file. 0 for equal weights.
        tokens_of: The vectors are those of the tokens of this tokenizer (`cli ofa token-vectors`), not of words; such a
            folder can be the --donor of `cli ofa init omp`.
        most_words: The first so many words; 0 for all.
    """

    vectors: Path
    output: Path = Path("bag")
    smoothing: float = 1e-3
    tokens_of: str | None = None
    most_words: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, smoothing=0, most_words=0)

    def build(self) -> None:
        """Write the folder."""
        from ofa.bag.making import write_bag

        write_bag(self)
