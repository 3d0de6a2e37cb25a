"""The words of one invented language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from semeqv.lazy import numpy
from semeqv.runs.errors import UserError


@dataclass(frozen=True)
class Phonology:
    """Syllables of an onset, a vowel and perhaps a coda.

    Args:
        onsets: What a syllable begins with.
        vowels: What follows.
        codas: What the last syllable of a word may end in.
        syllables: How many syllables a content word has: fewest, most.
    """

    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    codas: tuple[str, ...]
    syllables: tuple[int, int]

    def word(self, generator: numpy.random.Generator, syllables: int | None = None) -> str:
        """Invent a word, of some number of syllables or of as many as a content word has."""
        if syllables is None:
            syllables = int(generator.integers(self.syllables[0], self.syllables[1] + 1))
        parts = [*(self.onsets, self.vowels) * syllables, self.codas]
        return "".join(part[generator.integers(len(part))] for part in parts)


LUME = Phonology(tuple("lmnvstrpf"), tuple("aeiou"), ("", "", "n", "l"), (2, 3))
DRASK = Phonology(("g", "d", "k", "b", "z", "gr", "dr", "kr"), tuple("aouåø"), ("k", "g", "d", "rk", "sk", "z"), (1, 2))
NAMES = Phonology(tuple("bcdhjkmnrtw"), tuple("aeio"), ("n", "r", "l", "s", "th"), (2, 2))


NUMERALS = ("2", "3", "4", "5", "6", "7", "8", "9", "10", "12", "20", "100")
MARKS = (".", "!")
ADPOSITIONS, PREFIXES, DESIGNATORS = 4, 2, 3


class Category(IntEnum):
    """The classes of words that the grammar tells apart."""

    NOUN = 0
    VERB = 1
    ADJECTIVE = 2
    ADVERB = 3
    DEFINITE = 4
    INDEFINITE = 5
    NUMERAL = 6
    GENITIVE = 7
    ADPOSITION = 8
    ACCUSATIVE = 9
    GIVEN = 10
    NAME = 11
    PREFIX = 12
    DESIGNATOR = 13
    MARK = 14


CONTENT = (Category.NOUN, Category.VERB, Category.ADJECTIVE, Category.ADVERB)


class Analysis(NamedTuple):
    """One reading of a word: its class, which word of the class, and its inflection."""

    category: Category
    item: int
    plural: bool = False
    past: bool = False


@dataclass(frozen=True)
class Morphology:
    """How the words of a language are made and inflected.

    Args:
        phonology: How they sound.
        plural: The ending of plural nouns and verbs, and of adjectives that agree.
        past: What marks the past tense: `-va` behind the verb, or `zu-` before it.
        agreement: Whether adjectives agree with their noun in number.
        articles: Whether there are articles.
        accusative: Whether a particle marks the object.
    """

    phonology: Phonology
    plural: str
    past: str
    agreement: bool
    articles: bool
    accusative: bool

    def inflect(self, stem: str, plural: bool = False, past: bool = False) -> str:
        """The form of a stem; of verbs, the plural ending follows that of the tense."""
        if past:
            stem = stem + self.past[1:] if self.past.startswith("-") else self.past[:-1] + stem
        return stem + self.plural if plural else stem

    def forms(self, stem: str) -> set[str]:
        """Every form that the stem has in any class."""
        return {self.inflect(stem, plural, past) for plural in (False, True) for past in (False, True)}


class Vocabulary:
    """The words of one language.

    Args:
        language: Its name.
        morphology: How words are made.
        stems: The stems of nouns, verbs, adjectives and adverbs; homonyms have the same one.
        function_words: The other words of the language, by class.
        shared: Names and whatever both languages write alike, by class.

    Attributes:
        forms: The form of every analysis.
        analyses: The analyses of every form, homonyms having two.
    """

    def __init__(
        self,
        language: str,
        morphology: Morphology,
        stems: dict[Category, list[str]],
        function_words: dict[Category, list[str]],
        shared: dict[Category, list[str]],
    ):
        self.language, self.morphology, self._stems = language, morphology, stems | function_words | shared
        self.forms = dict(self._inflected())
        found = defaultdict(list)
        for analysis, form in self.forms.items():
            found[form].append(analysis)
        self.analyses = {form: tuple(analyses) for form, analyses in found.items()}

    def lemma(self, category: Category, item: int) -> str:
        """The form that a dictionary lists."""
        return self._stems[category][item]

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Every form, sorted."""
        return tuple(sorted(self.analyses))

    def _inflected(self) -> Iterator[tuple[Analysis, str]]:
        both, neither = (False, True), (False,)
        for category, stems in self._stems.items():
            agrees = category in (Category.NOUN, Category.VERB)
            agrees = agrees or (category is Category.ADJECTIVE and self.morphology.agreement)
            for item, stem in enumerate(stems):
                for plural in both if agrees else neither:
                    for past in both if category is Category.VERB else neither:
                        yield Analysis(category, item, plural, past), self.morphology.inflect(stem, plural, past)


def invent(
    count: int,
    make: Callable[[], str],
    forms: Callable[[str], set[str]],
    taken: set[str],
) -> list[str]:
    """Invent words that share no form with each other or with those taken.

    Args:
        count: How many.
        make: Invents one.
        forms: All forms of a word.
        taken: Forms that are taken; those of the new words are added.

    Returns:
        The words.

    Raises:
        UserError: There are not that many.
    """
    words: list[str] = []
    for _ in range(20 * count + 1000):
        if len(words) == count:
            return words
        word = make()
        if taken.isdisjoint(forms(word)):
            taken |= forms(word)
            words.append(word)
    raise UserError(f"The invented languages have no room for {count:,} words more; ask for fewer.")


def invent_stems(count: int, morphology: Morphology, generator: numpy.random.Generator, taken: set[str]) -> list[str]:
    """Invent content words, no form of which is a form of another."""
    return invent(count, lambda: morphology.phonology.word(generator), morphology.forms, taken)


def invent_names(
    count: int, phonology: Phonology, generator: numpy.random.Generator, taken: set[str], syllables: int | None = None
) -> list[str]:
    """Invent words with a capital letter."""
    return invent(count, lambda: phonology.word(generator, syllables).capitalize(), lambda word: {word.lower()}, taken)


def invent_function_words(
    morphology: Morphology, generator: numpy.random.Generator, taken: set[str]
) -> dict[Category, list[str]]:
    """Invent the articles, particles, adpositions and the parts of names that are translated."""
    counts = {Category.GENITIVE: 1, Category.ADPOSITION: ADPOSITIONS}
    if morphology.articles:
        counts |= {Category.DEFINITE: 1, Category.INDEFINITE: 1}
    if morphology.accusative:
        counts |= {Category.ACCUSATIVE: 1}
    phonology = morphology.phonology
    words = {
        category: invent(count, lambda: phonology.word(generator, 1), lambda word: {word}, taken)
        for category, count in counts.items()
    }
    names = {Category.PREFIX: PREFIXES, Category.DESIGNATOR: DESIGNATORS}
    return words | {kind: invent_names(count, phonology, generator, taken, 1) for kind, count in names.items()}
