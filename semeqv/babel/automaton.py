"""The word order of a language as a finite automaton, with two registers for what a word depends on.

The registers hold the subject, which the verb and the adverb depend on, and the last adjective or noun, which the noun
or adjective next to it depends on. Given the topic, the automaton emits exactly the sentences of the language with
their probabilities: `forward` runs it.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

from semeqv.babel.frame import ENTITY, FAMILY_NAME, PREFIXED, determination_and_number
from semeqv.babel.lexicon import ENTITIES, Lexicon
from semeqv.babel.vocabulary import Category

FROM_NOUN, FORGET, KEEP = -1, -2, -3  # what becomes of the subject's register, when it is not set to an entity

Phrase = Callable[[int, int, float, int], None]  # from, to, share of modifiers, subject's register


class Weight(IntEnum):
    """What the probability of the emitted word depends on, besides its class."""

    NOTHING = 0
    TOPIC = 1  # a noun
    TOPIC_AND_ADJECTIVE = 2  # a noun behind its adjective
    TOPIC_OF_NOUN = 3  # an adjective before its noun
    NOUN = 4  # an adjective behind its noun
    SUBJECT = 5  # a verb or adverb


@dataclass(frozen=True)
class Arc:
    """A step that emits a word.

    Args:
        source: The state before.
        target: The state after.
        category: The class of the word.
        probability: The probability of the step among all from its source, all words of the class together.
        weight: What the probability of the word depends on.
        plural: The number that the word must have, if one is fixed.
        subject: Which entity the subject's register is set to, or `FROM_NOUN`, `FORGET` or `KEEP`.
    """

    source: int
    target: int
    category: Category
    probability: float
    weight: Weight = Weight.NOTHING
    plural: bool | None = None
    subject: int = KEEP


class Automaton:
    """The sentences of a language.

    Args:
        lexicon: The words and their probabilities.
        language: The language.

    Attributes:
        arcs: Steps that emit a word, together with the choices that follow it.
        start: The states to start in, with their probabilities.
        states: How many states there are.
    """

    def __init__(self, lexicon: Lexicon, language: str):
        self._lexicon, self._options, self._language = lexicon, lexicon.options, language
        self._arcs: list[Arc] = []
        self._skips: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self.states = 0
        first, last = self._state(), self._state()
        phrases = self._lume if language == "lume" else self._drask
        phrases(first, last)
        self.start = self._reachable(first)
        self.arcs = [
            replace(arc, target=target, probability=arc.probability * probability)
            for arc in self._arcs
            for target, probability in self._reachable(arc.target).items()
            if arc.probability * probability > 0
        ]

    def _lume(self, first: int, last: int) -> None:
        options = self._options
        subject, verb, object_, adposition, oblique = self._new(5)
        self._argument(first, subject, "subject", options.subject_entity, self._lume_noun)
        self._adverb_and_verb(subject, verb)
        begun = self._perhaps(verb, object_, options.object)
        self._argument(begun, object_, "object", options.object_entity, self._lume_noun)
        self._emit(self._perhaps(object_, oblique, options.oblique), adposition, Category.ADPOSITION)
        self._argument(adposition, oblique, "oblique", options.oblique_entity, self._lume_noun)
        self._emit(oblique, last, Category.MARK)

    def _drask(self, first: int, last: int) -> None:
        options = self._options
        subject, place, oblique, patient, object_, verb = self._new(6)
        self._argument(first, subject, "subject", options.subject_entity, self._drask_noun)
        begun = self._perhaps(subject, oblique, options.oblique)
        self._argument(begun, place, "oblique", options.oblique_entity, self._drask_noun)
        self._emit(place, oblique, Category.ADPOSITION)
        begun = self._perhaps(oblique, object_, options.object)
        self._argument(begun, patient, "object", options.object_entity, self._drask_noun)
        self._emit(patient, object_, Category.ACCUSATIVE)
        self._adverb_and_verb(object_, verb)
        self._emit(verb, last, Category.MARK)

    def _adverb_and_verb(self, source: int, target: int) -> None:
        ready = self._state()
        self._emit(self._perhaps(source, ready, self._options.adverb), ready, Category.ADVERB, weight=Weight.SUBJECT)
        self._emit(ready, target, Category.VERB, weight=Weight.SUBJECT, subject=FORGET)

    def _argument(self, source: int, target: int, role: str, entity: float, noun_phrase: Phrase) -> None:
        """A noun with what belongs to it, or a named entity."""
        register = FROM_NOUN if role == "subject" else KEEP
        bare, name = self._new(2)
        self._skip(source, bare, 1 - entity)
        self._skip(source, name, entity)
        noun_phrase(bare, target, self._options.modifier, register)
        for kind, probability in zip(ENTITIES, ENTITY[role]):
            subject = self._lexicon.nouns + ENTITIES.index(kind) if role == "subject" else KEEP
            self._entity(name, target, kind, probability, subject)

    def _entity(self, source: int, target: int, kind: str, probability: float, subject: int) -> None:
        part = self._state()
        if kind == "PER":
            self._emit(source, part, Category.GIVEN, probability, subject=subject)
            self._emit(self._perhaps(part, target, FAMILY_NAME[1]), target, Category.NAME)
        elif kind == "LOC":
            self._emit(source, target, Category.NAME, probability * PREFIXED[0], subject=subject)
            self._emit(source, part, Category.PREFIX, probability * PREFIXED[1], subject=subject)
            self._emit(part, target, Category.NAME)
        else:
            order = (Category.NAME, Category.DESIGNATOR)
            first, second = order if self._language == "lume" else order[::-1]
            self._emit(source, part, first, probability, subject=subject)
            self._emit(part, target, second)

    def _lume_noun(self, source: int, target: int, modifier: float, subject: int) -> None:
        noun, genitive = self._new(2)
        for article, numbers in self._determiners().items():
            begun, ready, adjective = self._new(3)
            total = sum(numbers.values())
            self._skip(source, begun, total)
            if article is None:
                self._skip(begun, ready, 1.0)
            else:
                self._emit(begun, ready, article)
            share = self._options.adjective
            self._emit(ready, adjective, Category.ADJECTIVE, share, weight=Weight.TOPIC_OF_NOUN)
            for plural, joint in numbers.items():
                for before, part, weight in (
                    (adjective, 1.0, Weight.TOPIC_AND_ADJECTIVE),
                    (ready, 1 - share, Weight.TOPIC),
                ):
                    within = part * joint / total
                    self._emit(before, noun, Category.NOUN, within, weight=weight, plural=plural, subject=subject)
        self._emit(self._perhaps(noun, target, modifier), genitive, Category.GENITIVE)
        if modifier:
            self._lume_noun(genitive, target, 0.0, KEEP)

    def _drask_noun(self, source: int, target: int, modifier: float, subject: int) -> None:
        ready, genitive = self._new(2)
        if modifier:
            self._drask_noun(self._perhaps(source, ready, modifier), genitive, 0.0, KEEP)
            self._emit(genitive, ready, Category.GENITIVE)
        else:
            self._skip(source, ready, 1.0)
        joint = determination_and_number(self._lexicon)
        for plural in (False, True):
            noun, described = self._new(2)
            total = sum(share for (_, number), share in joint.items() if number is plural)
            self._emit(ready, noun, Category.NOUN, total, weight=Weight.TOPIC, plural=plural, subject=subject)
            begun = self._perhaps(noun, described, self._options.adjective)
            self._emit(begun, described, Category.ADJECTIVE, weight=Weight.NOUN, plural=plural)
            counted = joint.get(("numeral", plural), 0.0) / total if total else 0.0
            self._emit(self._perhaps(described, target, counted), target, Category.NUMERAL)

    def _determiners(self) -> dict[Category | None, dict[bool, float]]:
        """The joint probability of what stands before a noun of Lume and the number of the noun, by number."""
        found: dict[Category | None, dict[bool, float]] = defaultdict(lambda: defaultdict(float))
        articles = {"definite": Category.DEFINITE, "indefinite": Category.INDEFINITE, "numeral": Category.NUMERAL}
        for (determination, plural), share in determination_and_number(self._lexicon).items():
            bare = determination == "indefinite" and plural
            if share:
                found[None if bare else articles[determination]][plural] += share
        return found

    def _emit(
        self,
        source: int,
        target: int,
        category: Category,
        probability: float = 1.0,
        *,
        weight: Weight = Weight.NOTHING,
        plural: bool | None = None,
        subject: int = KEEP,
    ) -> None:
        self._arcs.append(Arc(source, target, category, probability, weight, plural, subject))

    def _perhaps(self, source: int, target: int, probability: float) -> int:
        """A state entered from the source with some probability; else the target is."""
        begun = self._state()
        self._skip(source, begun, probability)
        self._skip(source, target, 1 - probability)
        return begun

    def _skip(self, source: int, target: int, probability: float) -> None:
        """Go on without a word."""
        self._skips[source].append((target, probability))

    def _reachable(self, state: int) -> dict[int, float]:
        """Where one may be when the next word comes, with probabilities."""
        if state not in self._skips:
            return {state: 1.0}
        found: dict[int, float] = defaultdict(float)
        for target, probability in self._skips[state]:
            for end, share in self._reachable(target).items():
                found[end] += probability * share
        return found

    def _new(self, count: int) -> list[int]:
        return [self._state() for _ in range(count)]

    def _state(self) -> int:
        self.states += 1
        return self.states - 1
