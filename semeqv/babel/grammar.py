"""Documents of the generated corpus, each a pure function of a seed and its number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as counting
from itertools import islice

from semeqv.babel.chance import Chooser, Dice, Distribution, equal
from semeqv.babel.document import Document
from semeqv.babel.frame import Author
from semeqv.babel.lexicon import Lexicon
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.babel.realisation import Voice
from semeqv.lazy import numpy
from semeqv.text import records

SPLITS = {"train": range(8), "validation": range(8, 9), "test": range(9, 10)}
EVERY = 10  # of so many documents, each split has those of its range
WRITTEN_IN = (LANGUAGES, LANGUAGES[:1], LANGUAGES[1:])


class Grammar:
    """Writes documents in two invented languages, Lume and Drask.

        grammar = Grammar()
        for document in grammar.documents("train", 1000, seed=42):
            for lume, drask in document.pairs:
                print(lume.text, drask.text, sep="\t")

    Each document has a topic, and its nouns are mostly words of that topic; verbs, adjectives and adverbs are shared by
    all topics, but nouns have their favourites. Some words of each language are homonyms; their two senses are
    different words in the other language.

    `documents` has all that is known of them; `texts` and `pairs` are the same corpus as the readers of files give
    theirs. All go on for ever unless a count is given, and hold one document at a time.

    Args:
        options: Sizes and probabilities.

    Attributes:
        options: Sizes and probabilities.
        lexicon: The words, their senses, translations, favourites and probabilities.
    """

    def __init__(self, options: GrammarOptions | None = None):
        self.options = options or GrammarOptions()
        self.lexicon = Lexicon(self.options)
        self._author = Author(self.lexicon)
        self._voices = {language: Voice(self.lexicon, language) for language in LANGUAGES}
        alone = (1 - self.options.parallel) / 2
        self._topic = equal(self.options.topics)
        self._written_in = Distribution((self.options.parallel, alone, alone))
        self._length = equal(self.options.longest - self.options.shortest + 1)

    def document(self, index: int, seed: int = 0) -> Document:
        """Write a document.

        Args:
            index: Which document of the corpus.
            seed: Which corpus.

        Returns:
            The document, always the same.

        Raises:
            ValueError: One of the two is negative or does not fit into 64 bits.
        """
        if not (0 <= seed < 2**64 and 0 <= index < 2**64):
            raise ValueError(f"seed {seed} and index {index} must be at least 0 and fit into 64 bits.")
        key = numpy.array([seed, index], numpy.uint64)
        return self.compose(index, Dice(numpy.random.Generator(numpy.random.Philox(key=key))))

    def compose(self, index: int, chooser: Chooser) -> Document:
        """Write a document as something decides that need not be chance."""
        topic = chooser.choose(self._topic)
        languages = WRITTEN_IN[chooser.choose(self._written_in)]
        sentences = self.options.shortest + chooser.choose(self._length)
        frames = [self._author.frame(topic, chooser) for _ in range(sentences)]
        return Document(
            index, topic, {language: tuple(map(self._voices[language].say, frames)) for language in languages}
        )

    def documents(self, split: str, count: int | None = None, seed: int = 0, start: int = 0) -> Iterator[Document]:
        """Write documents of a split; no document is in two splits.

        Args:
            split: `train`, `validation` or `test`.
            count: How many documents; None for no end of them.
            seed: Which corpus.
            start: How many documents of the split to pass over, which takes no time.

        Returns:
            The documents; more of them begin with these.
        """
        places = counting(start) if count is None else range(start, start + count)
        return (self.document(index_in(split, place), seed) for place in places)

    def texts(self, language: str, split: str, count: int | None = None, seed: int = 0) -> Iterator[records.Document]:
        """Write documents in one language, a sentence a line.

        Args:
            language: `lume` or `drask`.
            split: `train`, `validation` or `test`.
            count: How many documents; None for no end of them.
            seed: Which corpus.

        Returns:
            The documents of the split that are written in the language, their translations left out.
        """
        documents = self.documents(split, None, seed)
        said = (each.text(language) for each in documents if language in each.sentences)
        return (records.Document(text, language) for text in islice(said, count))

    def pairs(self, split: str, count: int | None = None, seed: int = 0) -> Iterator[records.Aligned]:
        """Write sentences with their translations.

        Args:
            split: `train`, `validation` or `test`.
            count: How many sentences; None for no end of them.
            seed: Which corpus.

        Returns:
            The sentences of the documents of the split that are written in both languages.

        Raises:
            ValueError: No document is.
        """
        if not self.options.parallel:
            raise ValueError("There are no pairs: parallel, the share of documents in both languages, is 0.")
        documents = self.documents(split, None, seed)
        return islice((pair for document in documents for pair in aligned(document)), count)


def index_in(split: str, place: int) -> int:
    """The number in the corpus of a document of a split.

    Args:
        split: `train` (eight tenths of the corpus), `validation` or `test` (one tenth each).
        place: Its place in the split.

    Returns:
        The number.

    Raises:
        ValueError: There is no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}; there are {', '.join(SPLITS)}.")
    chosen = SPLITS[split]
    return EVERY * (place // len(chosen)) + chosen[place % len(chosen)]


def aligned(document: Document) -> Iterator[records.Aligned]:
    """The sentences of a document with their translations, named `17-0` for the first of document 17."""
    for number, pair in enumerate(document.pairs):
        said = {sentence.language: sentence.text for sentence in pair}
        yield records.Aligned(said, f"{document.index}-{number}")
