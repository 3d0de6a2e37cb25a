"""Sentences and their translations, from wherever they are."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from semeqv.babel.grammar import Grammar
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.runs.errors import UserError
from semeqv.text.location import locate, locate_sides
from semeqv.text.readers import bible, flores, moses, tatoeba
from semeqv.text.records import Aligned

if TYPE_CHECKING:
    from semeqv.tasks.retrieval.retrieval import Retrieval

PLACES = {
    "tatoeba": ("tatoeba_laser_v1/tatoeba_laser_v1", "https://github.com/facebookresearch/LASER (data/tatoeba/v1)"),
    "flores": ("flores/flores", "https://github.com/openlanguagedata/flores"),
    "bible": ("bible_pd/bible_pd", ""),
}
BABEL = 1000  # sentences, when nobody says how many


@dataclass(frozen=True)
class Parallel:
    """Sentences of a language, and their translations into the pivot, in the same order."""

    language: str
    sentences: tuple[str, ...]
    translations: tuple[str, ...]

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.sentences)


def languages_of(options: "Retrieval", pivot: str) -> tuple[str, ...]:
    """The languages that are compared with the pivot: those asked for, else all that there are."""
    if options.languages:
        return tuple(language for language in options.languages if language != pivot)
    if options.corpus == "babel":
        return tuple(language for language in LANGUAGES if language != pivot)
    return tatoeba.languages(place_of(options))


def pivot_of(options: "Retrieval") -> str:
    """The other language."""
    return options.pivot or {"tatoeba": "eng", "babel": "lume", "bible": "eng"}.get(options.corpus, "en")


def place_of(options: "Retrieval") -> Path:
    """Where the corpus is; raises as `locate` does."""
    name, source = PLACES[options.corpus]
    return locate(name, options.path, source)


def read_parallel(options: "Retrieval", language: str, pivot: str, grammar: GrammarOptions | None = None) -> Parallel:
    """Read the pairs of a language.

    Args:
        options: What the command was told.
        language: The language.
        pivot: The other one.
        grammar: Of the generated corpus; the usual one if None.

    Returns:
        The pairs, two at least.

    Raises:
        UserError: When there are not as many, or (from the readers) a file is missing or malformed.
    """
    found = list(islice(aligned(options, language, pivot, grammar), options.sentences or None))
    if len(found) < 2:
        raise UserError(f"{language} and {pivot} have {len(found)} sentences; retrieval needs two at least.")
    return Parallel(
        language,
        tuple(pair.sentences[language] for pair in found),
        tuple(pair.sentences[pivot] for pair in found),
    )


def aligned(options: "Retrieval", language: str, pivot: str, grammar: GrammarOptions | None) -> Iterable[Aligned]:
    """The pairs of a corpus, as its reader yields them."""
    if options.corpus == "babel":
        if strange := {language, pivot} - set(LANGUAGES):
            raise UserError(f"The generated corpus has {' and '.join(LANGUAGES)}, not {min(strange)!r}.")
        return Grammar(grammar).pairs(options.split, options.sentences or BABEL)
    if options.corpus == "moses":
        assert options.path is not None
        return moses.read_aligned(locate_sides([str(options.path)], [language, pivot], options.path), [language, pivot])
    place = place_of(options)
    if options.corpus == "flores":
        return flores.read_aligned(place, [language, pivot], "dev" if options.split == "validation" else "devtest")
    if options.corpus == "bible" and pivot == tatoeba.ENGLISH and tatoeba.languages(place, "bible"):
        return tatoeba.read_aligned(place, language, "bible")
    if options.corpus == "bible":
        return bible.read_aligned(place, [language, pivot])
    return tatoeba.read_aligned(place, language)


def sentence_pairs(rows: Iterable[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    """The lines of documents with their translations; a document whose sides differ in lines stays whole."""
    for row in rows:
        sides = [text.split("\n") for text in row.values()]
        if len({len(side) for side in sides}) == 1:
            yield from (dict(zip(row, texts)) for texts in zip(*sides))
        else:
            yield row
