"""What no language model can do better than, in the units that language models are measured in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from semeqv.babel.document import Sentence


@dataclass(frozen=True)
class Bound:
    """The least cross-entropy that a model can have on some documents, on average over corpora.

    It is exact for these documents: their probability under the grammar. It is also an estimate of the entropy of the
    language, which `error` says the accuracy of. The beginning and the end of a document are given, not predicted.

    Args:
        documents: How many documents were read.
        sentences: How many sentences they have.
        tokens: How many words and marks.
        bytes: How many bytes of UTF-8, a blank between words and a line feed behind each sentence.
        nats: Their negative log-likelihood.
        nats_squared: That of each document, squared, summed.
        nats_by_tokens: That of each document times its tokens, summed.
        tokens_squared: The tokens of each document, squared, summed.
    """

    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    bytes: int = 0
    nats: float = 0.0
    nats_squared: float = 0.0
    nats_by_tokens: float = 0.0
    tokens_squared: int = 0

    @classmethod
    def of(cls, sentences: Sequence[Sentence], nats: float) -> "Bound":
        """That of one document."""
        tokens = sum(len(sentence.tokens) for sentence in sentences)
        size = sum(len(sentence.text.encode()) + 1 for sentence in sentences)
        return cls(1, len(sentences), tokens, size, nats, nats * nats, nats * tokens, tokens * tokens)

    def __add__(self, other: "Bound") -> "Bound":
        return Bound(*(mine + yours for mine, yours in zip(vars(self).values(), vars(other).values())))

    @property
    def nats_per_token(self) -> float:
        """Cross-entropy of a word or mark; NaN when nothing was read."""
        return self.nats / self.tokens if self.tokens else math.nan

    @property
    def error(self) -> float:
        """The standard error of `nats_per_token` as an estimate of the entropy of the language; NaN without documents.

        It is that of a ratio of sums over independent documents.
        """
        if not self.documents:
            return math.nan
        ratio = self.nats_per_token
        squares = self.nats_squared - 2 * ratio * self.nats_by_tokens + ratio**2 * self.tokens_squared
        return math.sqrt(max(squares, 0.0)) / self.tokens

    @property
    def perplexity(self) -> float:
        """Perplexity per word or mark."""
        return math.exp(self.nats_per_token)

    @property
    def bits_per_byte(self) -> float:
        """Cross-entropy in bits per byte of text, line feeds and blanks included."""
        return self.nats / math.log(2) / self.bytes if self.bytes else math.nan
