"""What is known of the documents that went by: sizes, and the bounds of what can be learned from them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semeqv.babel.document import Document, Sentence
from semeqv.babel.grammar import Grammar
from semeqv.babel.options import LANGUAGES
from semeqv.babel.reader import CONTEXTS, BayesReader
from semeqv.lazy import numpy


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
    def of(cls, sentences: Sequence[Sentence], nats: float) -> Bound:
        """That of one document."""
        tokens = sum(len(sentence.tokens) for sentence in sentences)
        size = sum(len(sentence.text.encode()) + 1 for sentence in sentences)
        return cls(1, len(sentences), tokens, size, nats, nats * nats, nats * tokens, tokens * tokens)

    def __add__(self, other: Bound) -> Bound:
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


class Tally:
    """Measures documents in one language, a few at a time.

    Args:
        reader: The reader of the language.
    """

    def __init__(self, reader: BayesReader):
        self._reader, self._bound = reader, Bound()
        self._forms: Counter[str] = Counter()
        self._senses: dict[tuple[int, int], Counter[int]] = {}  # how often a homonym has which of its senses
        self._right: Counter[str] = Counter()
        self._doubt: Counter[str] = Counter()

    def add(self, documents: Sequence[Document]) -> None:
        """Measure some more documents, those in the language."""
        self._bound += self._reader.bound(documents)
        for document in documents:
            for sentence in document.sentences.get(self._reader.language, ()):
                self._forms.update(sentence.forms)
        found = self._reader.disambiguate(documents)
        for (first, second), truth in zip(found.senses.tolist(), found.truth.tolist()):
            self._senses.setdefault((first, second), Counter())[truth] += 1
        for context in CONTEXTS:
            self._right[context] += int((found.posterior[context].argmax(1) == found.truth).sum())
            self._doubt[context] += found.entropies(context).sum()

    @property
    def usual(self) -> dict[tuple[int, int], int]:
        """Which of the two senses that a homonym can have is the more frequent one."""
        return {senses: counts.most_common(1)[0][0] for senses, counts in self._senses.items()}

    def facts(self, usual: Mapping[tuple[int, int], int]) -> dict[str, Any]:
        """Sum up.

        Args:
            usual: The more frequent senses of train.

        Returns:
            Sizes and bounds; None for what there was nothing to measure of.
        """
        bound, homonyms = self._bound, sum(counts.total() for counts in self._senses.values())
        guessed = sum(counts[usual.get(senses, 0)] for senses, counts in self._senses.items())

        def share(count: float) -> float | None:
            return float(count) / homonyms if homonyms else None

        return {
            "documents": bound.documents,
            "sentences": bound.sentences,
            "tokens": bound.tokens,
            "bytes": bound.bytes,
            "types": len(self._forms),
            "unigram_nats_per_token": _entropy(self._forms),
            "nats_per_token": _known(bound.nats_per_token),
            "standard_error": _known(bound.error),
            "perplexity": _known(bound.perplexity),
            "bits_per_byte": _known(bound.bits_per_byte),
            "homonyms": homonyms,
            "sense_accuracy": {"usual": share(guessed)} | {each: share(self._right[each]) for each in CONTEXTS},
            "sense_nats": {each: share(self._doubt[each]) for each in CONTEXTS},
        }


def of_grammar(grammar: Grammar) -> dict[str, Any]:
    """What the grammar is made of.

    Args:
        grammar: The grammar.

    Returns:
        The concepts; how many nats the end of a document takes, which no bound counts; for each language, how many
        words there are, written forms, and homonyms among the words.
    """
    lexicon, options = grammar.lexicon, grammar.options
    languages = {}
    for language in LANGUAGES:
        homonyms = lexicon.homonyms[language]
        languages[language] = {
            "types": len(lexicon.vocabularies[language].types),
            "content_words": len(lexicon.senses[language]),
            "homonyms": {each.lemma: [lexicon.concepts[sense].name for sense in each.senses] for each in homonyms},
            "homonym_share": len(homonyms) / len(lexicon.senses[language]),
        }
    ends = math.log(options.longest - options.shortest + 1)
    return {"concepts": len(lexicon.concepts), "nats_per_document_end": ends, "languages": languages}


def _entropy(counts: Counter[str]) -> float | None:
    """That of the words by their frequencies, in nats."""
    if not counts:
        return None
    shares = numpy.array(list(counts.values())) / counts.total()
    return float(-(shares * numpy.log(shares)).sum())


def _known(number: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(number) else number
