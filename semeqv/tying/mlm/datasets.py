"""Corpora in which common words have doubles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from semeqv.grammar.component import check_bounds
from semeqv.text.datasets.corpus import Corpus


@dataclass(frozen=True, kw_only=True)
class Doubled:
    """What every corpus of the study can be told, besides what that corpus can; it stands before it among the bases.

    Args:
        doubles: How many words have a double: the most frequent ones of the training text that are one token of letters
            only, and longer than one.
        swap: Probability that an occurrence of such a word is swapped for its double.
        double_seed: Draws the random pairs of words that the study compares with words and their doubles, the same in
            every run.
    """

    doubles: int = 100
    swap: float = 0.5
    double_seed: int = 14

    def __post_init__(self) -> None:
        if getattr(self, "objective", None) == "translation":
            raise ValueError("--objective is causal or masked here; translation has no doubles.")
        super().__post_init__()  # type: ignore[misc]
        check_bounds(self, doubles=2, swap=(0, 1), double_seed=0)

    def undoubled(self) -> Corpus:
        """The same corpus without doubles."""
        kind: Any = next(base for base in type(self).__mro__[1:] if "__command__" in vars(base))
        plain: Corpus = kind(**{field.name: getattr(self, field.name) for field in fields(kind)})
        return plain

    def source_facts(self) -> dict[str, Any]:
        """What the text depends on; doubles are none of it."""
        return self.undoubled().source_facts()

    def corpus(self) -> "Iterator[Any]":
        """The documents of this split, as they are; yields `Document`s."""
        yield from self.undoubled().corpus()

    def build(
        self,
        tokenizer: Any,
        model_options: Any = None,
        dataset_options: Mapping[tuple[str, str | None], Any] | None = None,
    ) -> Any:
        """The data.

        Args:
            tokenizer: The tokenizer; it is given the doubles, as tokens of its own, unless it has them.
            model_options: Its `objective` is what the model is for.
            dataset_options: The data sets of the sentence; the training set tells which words are common.

        Returns:
            Batches as those of any corpus, some words in them swapped for their doubles.
        """
        from semeqv.tying.mlm.building import doubled_batches

        return doubled_batches(self, tokenizer, model_options, dataset_options or {})
