"""Sentences and their translations, from corpora."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from semeqv.babel.grammar import Grammar
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.runs.errors import UserError
from semeqv.text.location import locate, locate_sides
from semeqv.text.readers import bible, flores, moses, tatoeba
from semeqv.text.records import Aligned

PLACES = {
    "tatoeba": ("tatoeba_laser_v1/tatoeba_laser_v1", "https://github.com/facebookresearch/LASER (data/tatoeba/v1)"),
    "flores": ("flores/flores", "https://github.com/openlanguagedata/flores"),
    "bible": ("bible_pd/bible_pd", ""),
}
BABEL = 1000  # sentences, where no number is given


@dataclass(frozen=True)
class Parallel:
    """Sentences of a language, and their translations into the pivot, in the same order.

    Args:
        language: What the language is called.
        sentences: Its sentences.
        translations: Their translations.
    """

    language: str
    sentences: tuple[str, ...]
    translations: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many pairs there are."""
        return len(self.sentences)


@dataclass(frozen=True)
class ParallelCorpus:
    """A corpus of sentences and their translations.

    Args:
        corpus: tatoeba, flores, bible, moses or babel.
        path: The folder or archive; its usual place if None; for moses, what the names of the files have in common.
        pivot: The language of the translations; the usual one of the corpus if None.
        split: validation or test, of flores and babel.
        sentences: The first so many pairs; 0 for all, and for 1,000 of babel.
        grammar: Of the generated corpus; the usual one if None.
    """

    corpus: str = "tatoeba"
    path: Path | None = None
    pivot: str | None = None
    split: str = "test"
    sentences: int = 0
    grammar: GrammarOptions | None = None

    @property
    def pivot_language(self) -> str:
        """The language of the translations: English, lume of the generated corpus, if none is named."""
        return self.pivot or {"tatoeba": "eng", "babel": "lume", "bible": "eng"}.get(self.corpus, "en")

    @property
    def place(self) -> Path:
        """Where the corpus is; raises as `locate` does."""
        name, source = PLACES[self.corpus]
        return locate(name, self.path, source)

    def languages(self, named: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the languages to compare with the pivot: those named, else all that there are."""
        if not named and self.corpus != "babel":
            return tatoeba.languages(self.place)
        return tuple(language for language in named or LANGUAGES if language != self.pivot_language)

    def read(self, language: str) -> Parallel:
        """Read the pairs of a language.

        Args:
            language: The language.

        Returns:
            The pairs, two at least.

        Raises:
            UserError: When there are not as many, or (from the readers) a file is missing or malformed.
        """
        pivot = self.pivot_language
        pairs = list(islice(self.aligned(language, pivot), self.sentences or None))
        if len(pairs) < 2:
            raise UserError(f"{language} and {pivot} have {len(pairs)} sentences; retrieval needs two at least.")
        sides = (tuple(pair.sentences[side] for pair in pairs) for side in (language, pivot))
        return Parallel(language, *sides)

    def aligned(self, language: str, pivot: str) -> Iterable[Aligned]:
        """Return the pairs of two languages, as their reader yields them; `UserError` when there are none."""
        if self.corpus == "babel":
            if strange := {language, pivot} - set(LANGUAGES):
                raise UserError(f"The generated corpus has {' and '.join(LANGUAGES)}, not {min(strange)!r}.")
            return Grammar(self.grammar).pairs(self.split, self.sentences or BABEL)
        both = [language, pivot]
        if self.corpus == "moses":
            assert self.path is not None
            return moses.read_aligned(locate_sides([str(self.path)], both, self.path), both)
        place = self.place
        if self.corpus == "flores":
            return flores.read_aligned(place, both, "dev" if self.split == "validation" else "devtest")
        if self.corpus == "bible" and pivot == tatoeba.ENGLISH and tatoeba.languages(place, "bible"):
            return tatoeba.read_aligned(place, language, "bible")
        if self.corpus == "bible":
            return bible.read_aligned(place, both)
        return tatoeba.read_aligned(place, language)


def sentence_pairs(rows: Iterable[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    """Yield the lines of documents with their translations; a document whose sides differ in lines stays whole."""
    for row in rows:
        sides = [text.split("\n") for text in row.values()]
        if len({len(side) for side in sides}) == 1:
            yield from (dict(zip(row, texts)) for texts in zip(*sides))
        else:
            yield row
