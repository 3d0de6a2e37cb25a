"""The best possible reader of the generated corpus: exact probabilities, given all that can be known of the past.

What is latent is the topic of a document, the senses of homonyms and the derivations of sentences. Sentences are
independent given the topic, so that the past of a document is no more than a sum of logarithms for each topic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from semeqv.babel.document import Document, Sentence
from semeqv.babel.forward import Forward, Words
from semeqv.babel.grammar import Grammar
from semeqv.lazy import Floats, Integers, numpy


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


AT_ONCE = 500  # documents
CONTEXTS = ("left", "sentence", "document")  # of a homonym


@dataclass(frozen=True)
class Disambiguation:
    """What can be known of the sense of every homonym in some documents.

    Args:
        document: `(homonyms,)`, the place of the document among those given.
        sentence: `(homonyms,)`, the place of the sentence in the document.
        position: `(homonyms,)`, the place of the word in the sentence.
        senses: `(homonyms, 2)`, the numbers of the two senses of the word.
        truth: `(homonyms,)`, which of the two it has.
        posterior: `(homonyms, 2)` for each of `CONTEXTS`: their probabilities given all words of the document up to the
            homonym (`left`), given its sentence (`sentence`), and given the whole document (`document`).
    """

    document: Integers
    sentence: Integers
    position: Integers
    senses: Integers
    truth: Integers
    posterior: dict[str, Floats]

    def accuracy(self, context: str) -> float:
        """How often the more probable sense is the true one: no reader that knows only this context does better."""
        return float((self.posterior[context].argmax(1) == self.truth).mean())

    def entropies(self, context: str) -> Floats:
        """The entropy of the senses of each homonym in nats, given the context, `(homonyms,)`."""
        posterior = self.posterior[context]
        entropies: Floats = -(posterior * numpy.log(numpy.where(posterior > 0, posterior, 1))).sum(1)
        return entropies


class BayesReader:
    """Reads one language, which it knows to be that language, by the true probabilities of the grammar.

    What follows the last word of a sentence (another sentence, or the end of the document) is given, not predicted.

    Args:
        grammar: The grammar.
        language: `lume` or `drask`.
    """

    def __init__(self, grammar: Grammar, language: str):
        self.language, self._lexicon = language, grammar.lexicon
        self._forward = Forward(grammar, language)
        self._prior = -math.log(grammar.options.topics)

    def bound(self, documents: Iterable[Document]) -> Bound:
        """Measure how well documents can be predicted, those in the language; any number of them may stream by."""
        return sum((self._bound(some) for some in batches(documents, AT_ONCE)), Bound())

    def _bound(self, documents: Sequence[Document]) -> Bound:
        said = [document.sentences[self.language] for document in documents if self.language in document.sentences]
        nats = [math.fsum(numpy.concatenate(document)) for document in self.surprisals(documents)]
        return sum((Bound.of(sentences, document) for sentences, document in zip(said, nats)), Bound())

    def surprisals(self, documents: Sequence[Document]) -> list[list[Floats]]:
        """Find how unexpected every word is after all that precedes it in its document.

        Args:
            documents: The documents.

        Returns:
            For each document that has the language and each of its sentences `(words,)`, in nats.
        """
        counts, sentences = self._said(documents)
        prefixes = self._forward.prefixes(sentences)
        past = self._past(prefixes[:, -1], counts)
        before = numpy.logaddexp.reduce(past, axis=1)[:, None]
        reached = numpy.concatenate([before, numpy.logaddexp.reduce(past[:, None] + prefixes, axis=2)], axis=1)
        each = iter([line[: len(words)] for line, words in zip(-numpy.diff(reached, axis=1), sentences)])
        return [[next(each) for _ in range(count)] for count in counts if count]

    def topics(self, documents: Sequence[Document]) -> Floats:
        """Find the probability of the topics given whole documents, `(documents, topics)`."""
        counts, sentences = self._said(documents)
        found = numpy.full((len(counts), self._forward.topics), self._prior)
        numpy.add.at(found, numpy.repeat(numpy.arange(len(counts)), counts), self._forward.prefixes(sentences)[:, -1])
        posterior: Floats = numpy.exp(found - numpy.logaddexp.reduce(found, axis=1)[:, None])
        return posterior

    def next_words(self, before: Sequence[Words], begun: Words = ()) -> dict[str, float]:
        """Predict a word.

        Args:
            before: The sentences of the document so far.
            begun: The words of the sentence so far.

        Returns:
            The probability of every word that can follow; none can when a sentence is complete.

        Raises:
            ValueError: No document begins like that.
        """
        types = self._forward.vocabulary.types
        sentences = [*before, *([begun] if begun else []), *([*begun, word] for word in types)]
        said = self._forward.prefixes(sentences)[:, -1]
        past = self._prior + said[: len(before)].sum(0)
        known = numpy.logaddexp.reduce(past + said[len(before)] if begun else past)
        if known == -math.inf:
            raise ValueError(f"No document in {self.language} begins with these words.")
        probabilities = numpy.exp(numpy.logaddexp.reduce(past + said[-len(types) :], axis=1) - known)
        return {word: float(probability) for word, probability in zip(types, probabilities) if probability > 0}

    def disambiguate(self, documents: Sequence[Document]) -> Disambiguation:
        """Find the probability of the senses of every homonym."""
        places, senses, truth, rows = self._homonyms(documents)
        counts, sentences = self._said(documents)
        full = self._forward.prefixes(sentences)[:, -1]
        past, future = self._past(full, counts), self._past(full[::-1], counts[::-1])[::-1] - self._prior
        asked = [(int(position), int(sense)) for (_, _, position), pair in zip(places, senses) for sense in pair]
        prefixes = self._forward.prefixes([sentences[row] for row in numpy.repeat(rows, 2)], asked)
        left = prefixes[numpy.arange(len(asked)), numpy.repeat(places[:, 2], 2)]
        rows = numpy.repeat(rows, 2)
        logarithms = {
            "left": left + past[rows],
            "sentence": prefixes[:, -1],
            "document": prefixes[:, -1] + past[rows] + future[rows],
        }
        pairs = {context: numpy.logaddexp.reduce(found, axis=1).reshape(-1, 2) for context, found in logarithms.items()}
        posterior = {
            name: numpy.exp(pair - numpy.logaddexp.reduce(pair, axis=1)[:, None]) for name, pair in pairs.items()
        }
        document, sentence, position = places.T
        return Disambiguation(document, sentence, position, senses, truth, posterior)

    def _said(self, documents: Sequence[Document]) -> tuple[list[int], list[Words]]:
        """How many sentences of the language each document has, and the words of all of them."""
        said = [document.sentences.get(self.language, ()) for document in documents]
        return [len(part) for part in said], [sentence.forms for part in said for sentence in part]

    def _past(self, full: Floats, counts: Sequence[int]) -> Floats:
        """The logarithm of the probability of topic and earlier sentences, `(sentences, topics)`."""
        past = numpy.empty_like(full)
        first = 0
        for count in counts:
            part = slice(first, first + count)
            past[part] = self._prior
            past[part][1:] += numpy.cumsum(full[part], axis=0)[:-1]
            first += count
        return past

    def _homonyms(self, documents: Sequence[Document]) -> tuple[Integers, Integers, Integers, Integers]:
        """Find the homonyms: where they are, their senses, which is true, and the row of their sentence among all."""
        places, senses, truth, rows = [], [], [], []
        row = 0
        ambiguous = self._lexicon.ambiguous_forms(self.language)
        for number, document in enumerate(documents):
            for line, sentence in enumerate(document.sentences.get(self.language, ())):
                for position, token in enumerate(sentence.tokens):
                    if token.form in ambiguous:
                        places.append((number, line, position))
                        senses.append(ambiguous[token.form])
                        truth.append(ambiguous[token.form].index(token.concept))
                        rows.append(row)
                row += 1
        return (
            numpy.array(places, numpy.int64).reshape(-1, 3),
            numpy.array(senses, numpy.int64).reshape(-1, 2),
            numpy.array(truth, numpy.int64),
            numpy.array(rows, numpy.int64),
        )


def batches(documents: Iterable[Document], size: int) -> Iterator[list[Document]]:
    """Documents, so many at once."""
    remaining = iter(documents)
    while some := list(islice(remaining, size)):
        yield some
