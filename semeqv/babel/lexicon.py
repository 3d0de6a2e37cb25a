"""What the words of the generated languages mean, and which goes with which: the truth that studies score against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.babel.vocabulary import (
    CONTENT,
    DRASK,
    LUME,
    MARKS,
    NAMES,
    NUMERALS,
    Category,
    Morphology,
    Vocabulary,
    invent_function_words,
    invent_names,
    invent_stems,
)
from semeqv.lazy import Floats, NDArray, numpy
from semeqv.runs.errors import UserError

MORPHOLOGIES = {
    "lume": Morphology(LUME, plural="ri", past="-va", agreement=False, articles=True, accusative=False),
    "drask": Morphology(DRASK, plural="esh", past="hu-", agreement=True, articles=False, accusative=True),
}
ENTITIES = ("PER", "ORG", "LOC")
FAVOURITES = {Category.VERB: (0.5, 0.3, 0.2), Category.ADJECTIVE: (0.5, 0.3, 0.2), Category.ADVERB: (0.6, 0.4)}
SAME_CLASS = 2 / 3  # of the homonyms; the others are a noun and a verb, or a noun and an adjective
ATTEMPTS = 100  # at pairing senses


@dataclass(frozen=True)
class Concept:
    """A content sense, which both languages have a word for.

    Args:
        id: Its number.
        category: Noun, verb, adjective or adverb.
        item: Its number within the class.
        topic: The topic of a noun.
    """

    id: int
    category: Category
    item: int
    topic: int | None

    @property
    def name(self) -> str:
        """What `Sense=` calls it, such as `noun-17-topic-3`."""
        topic = "" if self.topic is None else f"-topic-{self.topic}"
        return f"{self.category.name.lower()}-{self.item}{topic}"


@dataclass(frozen=True)
class Homonym:
    """A word of one language that has two senses.

    Args:
        language: The language.
        lemma: The word.
        senses: The numbers of the two concepts: nouns of different topics, or a noun and a verb or adjective.
    """

    language: str
    lemma: str
    senses: tuple[int, int]


class Lexicon:
    """The words of both languages, their senses, and how probable they are beside each other.

    `UserError` is raised when there are too many words for the languages, or too many homonyms for the nouns.

    Args:
        options: Sizes and probabilities.

    Attributes:
        concepts: Every content sense, by its number.
        homonyms: The words of two senses, by language.
        vocabularies: The words, by language.
        noun_given_topic: `(topics, nouns)`.
        given_noun: Of verbs, adjectives and adverbs, `(nouns + 3, items)`: the probability beside each noun, and beside
            a person, an organisation and a place. The noun is the subject, for adjectives the noun that they modify.
        favourites: Of verbs, adjectives and adverbs, `(nouns + 3, favourites)`: which items a noun prefers.
    """

    def __init__(self, options: GrammarOptions):
        generator = numpy.random.Generator(numpy.random.Philox(options.lexicon_seed))
        counts = (options.topics * options.nouns, options.verbs, options.adjectives, options.adverbs)
        self.options, self.nouns = options, counts[0]
        self._first = {kind: sum(counts[:place]) for place, kind in enumerate(CONTENT)}
        self.concepts = tuple(
            Concept(self._first[kind] + item, kind, item, item // options.nouns if kind is Category.NOUN else None)
            for kind, count in zip(CONTENT, counts)
            for item in range(count)
        )
        self.homonyms: dict[str, tuple[Homonym, ...]] = {}
        self.vocabularies: dict[str, Vocabulary] = {}
        self._invent_words(generator)
        self.noun_given_topic = _nouns(options)
        self.given_noun: dict[Category, Floats] = {}
        self.favourites: dict[Category, NDArray[numpy.int64]] = {}
        for kind, count in zip(CONTENT[1:], counts[1:]):
            self._choose_favourites(kind, count, generator)

    def concept(self, category: Category, item: int) -> Concept:
        """The sense of a content word."""
        return self.concepts[self._first[category] + item]

    def lemma(self, language: str, concept: int) -> str:
        """The word of a language for a sense."""
        return self.vocabularies[language].lemma(self.concepts[concept].category, self.concepts[concept].item)

    @cached_property
    def senses(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """The senses of each content word, by language: of homonyms two."""
        found: dict[str, dict[str, tuple[int, ...]]] = {language: {} for language in LANGUAGES}
        for language, words in found.items():
            for concept in self.concepts:
                lemma = self.lemma(language, concept.id)
                words[lemma] = (*words.get(lemma, ()), concept.id)
        return found

    @cached_property
    def translations(self) -> tuple[tuple[str, str], ...]:
        """The bilingual dictionary, one pair of words for each concept: a homonym has two translations."""
        return tuple((self.lemma("lume", concept.id), self.lemma("drask", concept.id)) for concept in self.concepts)

    def ambiguous_forms(self, language: str) -> dict[str, tuple[int, ...]]:
        """The forms, inflected ones too, that have two senses, with their numbers."""
        analyses = self.vocabularies[language].analyses
        return {
            form: tuple(self.concept(reading.category, reading.item).id for reading in readings)
            for form, readings in analyses.items()
            if len(readings) > 1
        }

    def _invent_words(self, generator: numpy.random.Generator) -> None:
        taken: set[str] = set()
        given, other = (invent_names(self.options.names, NAMES, generator, taken) for _ in range(2))
        shared = {
            Category.GIVEN: given,
            Category.NAME: other,
            Category.NUMERAL: list(NUMERALS),
            Category.MARK: list(MARKS),
        }
        used: set[tuple[int, int]] = set()
        for language, morphology in MORPHOLOGIES.items():
            function_words = invent_function_words(morphology, generator, taken)
            pairs = self._pair(generator, used)
            used |= set(pairs)
            stems = invent_stems(len(self.concepts) - len(pairs), morphology, generator, taken)
            words: dict[int, str] = {}
            for pair in pairs:
                words |= dict.fromkeys(pair, stems.pop())
            self.homonyms[language] = tuple(Homonym(language, words[pair[0]], pair) for pair in pairs)
            words |= {concept.id: stems.pop() for concept in self.concepts if concept.id not in words}
            by_class = {kind: [words[c.id] for c in self.concepts if c.category is kind] for kind in CONTENT}
            self.vocabularies[language] = Vocabulary(language, morphology, by_class, function_words, shared)

    def _pair(self, generator: numpy.random.Generator, used: set[tuple[int, int]]) -> list[tuple[int, int]]:
        """Choose the homonyms of a language; two senses share a word in one language at most."""
        count = self.options.homonym_count
        others = [concept.id for concept in self.concepts if concept.category in (Category.VERB, Category.ADJECTIVE)]
        mixed = max(count - round(count * SAME_CLASS), 2 * count - self.nouns) if self.options.topics > 1 else count
        for _ in range(ATTEMPTS):
            nouns = generator.permutation(self.nouns).tolist()
            seconds = [*generator.permutation(others).tolist()[:mixed], *nouns[count:]]
            pairs = list[tuple[int, int]]()
            for first in nouns[:count]:
                pair = next((pair for pair in ((first, second) for second in seconds) if self._fit(pair, used)), None)
                if pair is not None:
                    seconds.remove(pair[1])
                    pairs.append((min(pair), max(pair)))
            if len(pairs) == count:
                return pairs
        raise UserError(f"{count} homonyms do not fit into {self.nouns} nouns; ask for fewer homonyms or more nouns.")

    def _fit(self, pair: tuple[int, int], used: set[tuple[int, int]]) -> bool:
        """Whether the two senses may share a word: nouns of one topic may not."""
        first, second = (self.concepts[sense].topic for sense in pair)
        return first != second and (min(pair), max(pair)) not in used

    def _choose_favourites(self, kind: Category, count: int, generator: numpy.random.Generator) -> None:
        weights = numpy.array(FAVOURITES[kind][:count])
        rows = self.nouns + len(ENTITIES)
        favourites = numpy.array([generator.permutation(count)[: len(weights)] for _ in range(rows)])
        pool = _zipf(count)
        probabilities = numpy.tile(pool * (1 - self.options.favoured), (rows, 1))
        numpy.put_along_axis(
            probabilities,
            favourites,
            numpy.take_along_axis(probabilities, favourites, 1) + self.options.favoured * weights / weights.sum(),
            1,
        )
        self.favourites[kind], self.given_noun[kind] = favourites, probabilities


def _nouns(options: GrammarOptions) -> Floats:
    """The probability of nouns in each topic: a few of its own are frequent, those of the others leak in."""
    own = numpy.zeros((options.topics, options.topics, options.nouns))
    own[numpy.arange(options.topics), numpy.arange(options.topics)] = _zipf(options.nouns)
    flat = own.reshape(options.topics, -1)
    leaking: Floats = (1 - options.leak) * flat + options.leak * flat.mean(0)
    return leaking


def _zipf(count: int) -> Floats:
    """The probabilities of items that differ in frequency, the most frequent first."""
    weights = [1 / (rank + 3) for rank in range(count)]
    return numpy.array(weights) / sum(weights)
