"""What is known of the documents that went by: sizes, and the bounds of what can be learned from them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from semeqv.babel.document import Document
from semeqv.babel.grammar import Grammar
from semeqv.babel.options import LANGUAGES
from semeqv.babel.reader import CONTEXTS, BayesReader, Bound
from semeqv.lazy import numpy


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
