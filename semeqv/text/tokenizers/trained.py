"""Tokenizers that are trained on the corpora of the sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.grammar.component import check_bounds, component

LEAST, MOST = 8, 2**24  # libraries give up on sizes that no memory holds, without a word to a user


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Options of every trained tokenizer.

    Args:
        vocab_size: Tokens of the vocabulary, the special ones among them.
        temperature: How evenly languages are sampled: a language with n characters counts as n to the power of 1/T
            (Conneau & Lample, 2019, arXiv 1901.07291, equation 1). 1 takes the corpus as it is.
        lowercase: Read all letters as small ones.
        wrap: Put the special tokens that begin and end a text around every text that is encoded in whole; wordpiece
            does so if left out, the others do not.
        documents: Train on so many documents at most; 0 for all.
    """

    vocab_size: int = 10_000
    temperature: float = 1.0
    lowercase: bool = False
    wrap: bool | None = None
    documents: int = 0

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_bounds(self, vocab_size=(LEAST, MOST), temperature=1, documents=0)

    def build(self, dataset_options: Mapping[tuple[str, str | None], Any]) -> Any:
        """The tokenizer, a fast one of transformers; trained once for the same corpora and options.

        Args:
            dataset_options: The data sets of the sentence; the training sets among them that have a `corpus` are read.

        Returns:
            The tokenizer.
        """
        from semeqv.text.tokenizers.training import trained

        return trained(self, [each for (split, _), each in dataset_options.items() if split == "train"])


@component("tokenizer bpe")
@dataclass(frozen=True, kw_only=True)
class Bpe(Trained):
    """Byte-level byte-pair encoding (Sennrich et al., 2016, arXiv 1508.07909; Radford et al., 2019).

    It has a token for every byte, so that nothing is unknown.
    """

    kind: ClassVar[str] = "bpe"


@component("tokenizer wordpiece")
@dataclass(frozen=True, kw_only=True)
class Wordpiece(Trained):
    """WordPiece, the tokenizer of BERT (Schuster & Nakajima, 2012; Devlin et al., 2019, arXiv 1810.04805)."""

    kind: ClassVar[str] = "wordpiece"


@component("tokenizer unigram")
@dataclass(frozen=True, kw_only=True)
class Unigram(Trained):
    """The unigram language model (Kudo, 2018, arXiv 1804.10959); blanks are written as SentencePiece does."""

    kind: ClassVar[str] = "unigram"
