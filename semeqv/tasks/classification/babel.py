"""Labelled data sets of the generated corpus, of which everything is known; nothing is downloaded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from semeqv.babel.grammar import Grammar
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.classification.dataset import Item, Labelled
from semeqv.tasks.prompting.options import PromptedTexts, PromptedWords


@dataclass(frozen=True, kw_only=True)
class Generated(GrammarOptions, Labelled):
    """Options of generated data.

    Args:
        languages: Which of the two to read: lume, drask.
        documents: How many documents to write, in the two languages together.
        corpus_seed: Which corpus; that of the words is --lexicon_seed.
    """

    languages: tuple[str, ...] = ("lume",)
    documents: int = 1000
    corpus_seed: int = 0

    def __post_init__(self) -> None:
        GrammarOptions.__post_init__(self)
        super(GrammarOptions, self).__post_init__()  # those of labelled data, which stand behind it
        if not self.languages or set(self.languages) - set(LANGUAGES) or len(set(self.languages)) < len(self.languages):
            raise ValueError(f"--languages are {' and '.join(LANGUAGES)}, not {' '.join(self.languages)!r}.")
        check_bounds(self, documents=1)
        if self.holdout:
            raise ValueError("--holdout is not needed: every split has documents of its own.")

    def sources(self) -> Mapping[str, Path]:
        """Return nothing: it is generated."""
        return {}

    def line_of(self, label: str) -> str:
        """Return the corpus: it is in no file."""
        return "The generated corpus"

    def written(self) -> Iterator[tuple[Any, str]]:
        """Yield the documents, each with every language that it is written in and that is asked for."""
        for document in Grammar(self.grammar).documents(self.split, self.documents, self.corpus_seed):
            for language in self.languages:
                if language in document.sentences:
                    yield document, language


@component("dataset babel-tags")
@dataclass(frozen=True, kw_only=True)
class BabelTags(Generated, PromptedWords):
    """Words of two small invented languages, with their part of speech, their named entities, or their sense.

    Args:
        label: What to tell of each word: its part of speech (pos), the entity that it is part of (ner), or which of the
            senses of the lexicon it has (sense), which only content words have.
    """

    label: Literal["pos", "ner", "sense"] = "pos"

    @property
    def entities(self) -> bool:
        """Whether they are judged by the entities that they mark."""
        return self.label == "ner"

    def items(self) -> Iterator[Item]:
        """Yield the sentences."""
        for document, language in self.written():
            for sentence in document.sentences[language]:
                yield Item(sentence.forms, tuple(self.label_of(token) for token in sentence.tokens))

    def every_label(self) -> tuple[str, ...]:
        """Return all senses; parts of speech and entities are those that are read."""
        return tuple(map(str, range(self.grammar.concepts))) if self.label == "sense" else ()

    def label_of(self, token: Any) -> str | None:
        """Return the label of a word."""
        if self.label == "sense":
            return None if token.concept is None else str(token.concept)
        return str(token.upos if self.label == "pos" else token.entity)


@component("dataset babel-topics")
@dataclass(frozen=True, kw_only=True)
class BabelTopics(Generated, PromptedTexts):
    """Documents in two small invented languages, with their topic."""

    of_words: ClassVar[bool] = False

    def every_label(self) -> tuple[str, ...]:
        """Return all topics."""
        return tuple(map(str, range(self.topics)))

    def items(self) -> Iterator[Item]:
        """Yield the documents."""
        for document, language in self.written():
            yield Item((document.text(language).replace("\n", " "),), (str(document.topic),))
