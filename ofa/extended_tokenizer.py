"""A tokenizer that keeps the tokens of another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semeqv.grammar.component import check_bounds, component


@component("ofa tokenizer extended")
@dataclass(frozen=True, kw_only=True)
class Extended:
    """The tokenizer of a model with more tokens, learnt on the training set of the sentence.

    As the tokenizer of Glot500 extends that of XLM-R (ImaniGooghari et al., 2023, arXiv 2305.12182): a tokenizer of the
    same kind and rules is trained on the text, and the tokens that the old one lacks are put behind its own, which keep
    their ids. Byte-pair encoding then learns as many new tokens anew, merging on from the tokens that the old one cuts
    the text into: merges of the tokenizer of the text alone, put behind the old ones, would hardly ever apply. `cli
    save-tokenizer` writes it.

    Args:
        source: Whose tokenizer: a run folder, a checkpoint, a Hugging Face folder, a hub name or a tokenizer.json.
        tokens: How many tokens a tokenizer of the text alone would have; those of them that are new are added.
        documents: Learn on so many documents at most; 0 for all.
    """

    source: str = field(metadata={"alias": "from"})
    tokens: int = 10_000
    documents: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, tokens=8, documents=0)

    def build(self, dataset_options: Mapping[tuple[str, str | None], Any]) -> Any:
        """The tokenizer, a fast one of transformers.

        Args:
            dataset_options: The data sets of the sentence; the training sets among them that have a `corpus` are read.

        Returns:
            The tokenizer.
        """
        from ofa.extending import extended

        return extended(self, [each for (split, _), each in dataset_options.items() if split == "train"])
