"""Sentences with all that is known of them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from semeqv.babel.options import LANGUAGES


class Token(NamedTuple):
    """A word in its sentence.

    Args:
        form: The word as it is written.
        lemma: Its dictionary form.
        upos: Its universal part of speech.
        features: Its universal features, as CoNLL-U writes them; empty when it has none.
        head: The number of its head, counted from 1; 0 for the root.
        relation: Its universal relation to the head.
        entity: Its part in a named entity, in IOB2.
        concept: The number of its sense in the lexicon; None for what is no content word.
        node: What it stands for in the frame of the sentence: translations of each other stand for the same.
    """

    form: str
    lemma: str
    upos: str
    features: str
    head: int
    relation: str
    entity: str
    concept: int | None
    node: str


@dataclass(frozen=True)
class Sentence:
    """A sentence of one language."""

    language: str
    tokens: tuple[Token, ...]

    @property
    def forms(self) -> tuple[str, ...]:
        """The words."""
        return tuple(token.form for token in self.tokens)

    @property
    def text(self) -> str:
        """The words, a space between every two."""
        return " ".join(self.forms)


@dataclass(frozen=True)
class Document:
    """Some sentences on one topic.

    Args:
        index: Its number in the corpus.
        topic: Its topic.
        sentences: The sentences by language; where there are two languages, they are translations in the same order.
    """

    index: int
    topic: int
    sentences: dict[str, tuple[Sentence, ...]] = field(hash=False)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that it is written in, one or both."""
        return tuple(self.sentences)

    @property
    def parallel(self) -> bool:
        """Whether it is written in both languages."""
        return len(self.sentences) == len(LANGUAGES)

    @property
    def pairs(self) -> list[tuple[Sentence, Sentence]]:
        """Each sentence of Lume with its translation into Drask; none when the document is in one language."""
        return list(zip(*(self.sentences[language] for language in LANGUAGES))) if self.parallel else []

    def text(self, language: str) -> str:
        """What it says in one of its languages, a sentence a line."""
        return "\n".join(sentence.text for sentence in self.sentences[language])


def align(lume: Sentence, drask: Sentence) -> list[tuple[int, int]]:
    """Align the words of a sentence with those of its translation.

    Args:
        lume: The sentence.
        drask: The translation.

    Returns:
        Pairs of positions counted from 0, the first of lume, the second of drask; function words that only one of the
        languages has stand in no pair.
    """
    places = {token.node: place for place, token in enumerate(drask.tokens)}
    return [(place, places[token.node]) for place, token in enumerate(lume.tokens) if token.node in places]
