"""The generated corpus as a data set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from semeqv.babel.grammar import Grammar
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.grammar.component import check_bounds, component
from semeqv.text.cache import key_of
from semeqv.text.datasets.corpus import Corpus


@component("dataset babel")
@dataclass(frozen=True, kw_only=True)
class Babel(GrammarOptions, Corpus):
    """Generated documents in two small invented languages, with homonyms whose senses are known; nothing is downloaded.

    Args:
        languages: Which of the two to read: lume, drask.
        documents: How many documents, in the two languages together; sentences, where they are joined with their
            translations.
        corpus_seed: Which corpus; that of the words is --lexicon_seed.
    """

    languages: tuple[str, ...] = LANGUAGES
    documents: int = 20_000
    corpus_seed: int = 0

    def __post_init__(self) -> None:
        GrammarOptions.__post_init__(self)
        Corpus.__post_init__(self)
        if not self.languages or set(self.languages) - set(LANGUAGES) or len(set(self.languages)) < len(self.languages):
            raise ValueError(f"--languages are {' and '.join(LANGUAGES)}, not {' '.join(self.languages)!r}.")
        if not self.documents:
            raise ValueError("--documents must be at least 1: there is no end of them.")
        check_bounds(self, corpus_seed=0)
        if self.pairs and not self.parallel:
            raise ValueError("--parallel must be above 0: no sentence has a translation.")
        if self.holdout:
            raise ValueError("--holdout is not needed: every split has documents of its own.")

    def sources(self) -> Mapping[str, Path]:
        """None: it is generated."""
        return {}

    def source_facts(self) -> dict[str, Any]:
        """What the text depends on; its first documents tell one state of the grammar from another."""
        begins = key_of([said for _, said in islice(self.rows(), 10)])
        return super().source_facts() | {"pairs": self.pairs, "begins": begins}

    @property
    def pairs(self) -> bool:
        """Whether sentences with their translations are asked for, not documents."""
        return self.joined or self.objective == "translation"

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Documents; sentences with their translations, when these are asked for."""
        grammar = Grammar(self.grammar)
        if self.pairs:
            for pair in grammar.pairs(self.split, self.documents, self.corpus_seed):
                yield "", {language: pair.sentences[language] for language in self.languages}
            return
        for document in grammar.documents(self.split, self.documents, self.corpus_seed):
            said = {language: document.text(language) for language in self.languages if language in document.sentences}
            yield "", said
