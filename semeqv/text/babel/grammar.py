"""Documents of the generated corpus, each a pure function of a seed and its number."""

from collections.abc import Iterator

import numpy as np

from semeqv.text.babel.document import Document
from semeqv.text.babel.frame import Chooser, Dice, choose_frame
from semeqv.text.babel.lexicon import Lexicon
from semeqv.text.babel.options import LANGUAGES, GrammarOptions
from semeqv.text.babel.realisation import realise

SPLITS = {"train": range(8), "validation": range(8, 9), "test": range(9, 10)}
EVERY = 10  # of so many documents, each split has those of its range


class Grammar:
    """Writes documents in two invented languages, Lume and Drask.

        grammar = Grammar()
        for document in grammar.documents("train", 1000, seed=42):
            print(document.sentences["lume"][0].text)

    Each document has a topic, and its nouns are mostly words of that topic; verbs, adjectives and adverbs are shared by
    all topics, but nouns have their favourites. Some words of each language are homonyms; their two senses are different
    words in the other language.

    Args:
        options: Sizes and probabilities.

    Attributes:
        options: Sizes and probabilities.
        lexicon: The words, their senses, translations, favourites and probabilities.
    """

    def __init__(self, options: GrammarOptions | None = None):
        self.options = options or GrammarOptions()
        self.lexicon = Lexicon(self.options)

    def document(self, seed: int, index: int) -> Document:
        """Write a document.

        Args:
            seed: Which corpus.
            index: Which document of it.

        Returns:
            The document, always the same.

        Raises:
            ValueError: One of the two is negative or does not fit into 64 bits.
        """
        if not (0 <= seed < 2**64 and 0 <= index < 2**64):
            raise ValueError(f"seed {seed} and index {index} must be at least 0 and fit into 64 bits.")
        key = np.array([seed, index], np.uint64)
        return self.compose(index, Dice(np.random.Generator(np.random.Philox(key=key))))

    def compose(self, index: int, chooser: Chooser) -> Document:
        """Write a document as something decides that need not be chance."""
        options = self.options
        topic = chooser.choose((1 / options.topics,) * options.topics)
        alone = (1 - options.parallel) / 2
        languages = [LANGUAGES, LANGUAGES[:1], LANGUAGES[1:]][chooser.choose((options.parallel, alone, alone))]
        lengths = options.longest - options.shortest + 1
        count = options.shortest + chooser.choose((1 / lengths,) * lengths)
        frames = [choose_frame(self.lexicon, topic, chooser) for _ in range(count)]
        said = {language: tuple(realise(self.lexicon, frame, language) for frame in frames) for language in languages}
        return Document(index, topic, said)

    def documents(self, split: str, count: int, seed: int = 0, start: int = 0) -> Iterator[Document]:
        """Write some documents of a split; splits share no document.

        Args:
            split: `train`, `validation` or `test`.
            count: How many documents.
            seed: Which corpus.
            start: How many documents of the split to pass over.

        Returns:
            The documents; more of them begin with these.
        """
        return (self.document(seed, index_in(split, place)) for place in range(start, start + count))


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
