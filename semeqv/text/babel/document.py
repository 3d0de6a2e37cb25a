"""Sentences with all that is known of them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Token:
    """A word in its sentence, as a line of CoNLL-U has it.

    Args:
        form: The word as it is written.
        lemma: Its dictionary form.
        upos: Its universal part of speech.
        features: Its universal features, sorted by name.
        head: The number of its head, counted from 1; 0 for the root.
        relation: Its universal relation to the head.
        entity: Its part in a named entity, in IOB2.
        concept: The number of its sense in the lexicon; None for what is no content word.
        node: What it stands for in the frame of the sentence: translations of each other stand for the same.
    """

    form: str
    lemma: str
    upos: str
    features: tuple[tuple[str, str], ...]
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
    def parallel(self) -> bool:
        """Whether it is written in both languages."""
        return len(self.sentences) == 2

    def alignments(self) -> list[list[tuple[int, int]]]:
        """Align the words of each sentence with those of its translation.

        Returns:
            For each sentence, pairs of positions counted from 0, the first of lume, the second of drask; function words
            that only one of the languages has stand in no pair. Empty when the document is in one language.
        """
        if not self.parallel:
            return []
        return [_align(*pair) for pair in zip(self.sentences["lume"], self.sentences["drask"])]


def _align(lume: Sentence, drask: Sentence) -> list[tuple[int, int]]:
    places = {token.node: place for place, token in enumerate(drask.tokens)}
    return [(place, places[token.node]) for place, token in enumerate(lume.tokens) if token.node in places]
