"""What a sentence says, before it is said in a language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from semeqv.text.babel.lexicon import ENTITIES, Lexicon
from semeqv.text.babel.vocabulary import ADPOSITIONS, DESIGNATORS, NUMERALS, PREFIXES, Category

# What is open to choice beside the options; the parts of a name are equally probable.
FAMILY_NAME = (0.4, 0.6)  # no, yes
PREFIXED = (0.7, 0.3)
MARK = (0.9, 0.1)
ADPOSITION = (0.4, 0.3, 0.2, 0.1)
ENTITY = {"subject": (0.6, 0.4, 0.0), "object": (0.3, 0.3, 0.4), "oblique": (0.0, 0.0, 1.0)}  # of ENTITIES
DETERMINATIONS = ("definite", "indefinite", "numeral")


class Chooser(Protocol):
    """What decides."""

    def choose(self, probabilities: ArrayLike) -> int:
        """Choose one of some alternatives of these probabilities."""


class Dice:
    """Chooses by uniform numbers from a generator of random numbers."""

    def __init__(self, generator: np.random.Generator):
        self._generator = generator

    def choose(self, probabilities: ArrayLike) -> int:
        """Choose one of some alternatives of these probabilities."""
        bounds = np.cumsum(probabilities)
        return int(np.searchsorted(bounds[:-1], self._generator.random() * bounds[-1], side="right"))


@dataclass(frozen=True)
class NounPhrase:
    """A common noun and what belongs to it.

    Args:
        noun: Which noun.
        plural: Its number.
        determination: `definite`, `indefinite` or `numeral`.
        numeral: Which numeral, if any.
        adjective: Which adjective, if any.
        modifier: Another noun that it belongs to, if any.
    """

    noun: int
    plural: bool
    determination: str
    numeral: int | None
    adjective: int | None
    modifier: "NounPhrase | None"


@dataclass(frozen=True)
class Entity:
    """A named entity.

    Args:
        kind: PER, ORG or LOC.
        name: Which name: of a person the given one.
        other: Which family name, designator of an organisation or prefix of a place, if any.
    """

    kind: str
    name: int
    other: int | None
    plural = False


@dataclass(frozen=True)
class Frame:
    """A sentence, its words being numbers within their class."""

    subject: NounPhrase | Entity
    verb: int
    past: bool
    adverb: int | None
    object: NounPhrase | Entity | None
    adposition: int
    oblique: NounPhrase | Entity | None
    mark: int


def determination_and_number(lexicon: Lexicon) -> dict[tuple[str, bool], float]:
    """The joint probability of how a noun is determined and whether it is plural; with a numeral it always is."""
    options = lexicon.options
    shares = (options.definite, 1 - options.definite - options.numeral)
    joint = {
        (kind, plural): share * (options.plural if plural else 1 - options.plural)
        for kind, share in zip(DETERMINATIONS, shares)
        for plural in (False, True)
    }
    return joint | {("numeral", True): options.numeral}


def choose_frame(lexicon: Lexicon, topic: int, chooser: Chooser) -> Frame:
    """Choose a sentence on a topic."""
    options = lexicon.options
    subject = _argument(lexicon, topic, chooser, "subject", options.subject_entity)
    beside = subject.noun if isinstance(subject, NounPhrase) else lexicon.nouns + ENTITIES.index(subject.kind)
    verb = chooser.choose(lexicon.given_noun[Category.VERB][beside])
    past = bool(chooser.choose(_odds(options.past)))
    adverb = object_ = oblique = None
    adposition = 0
    if chooser.choose(_odds(options.adverb)):
        adverb = chooser.choose(lexicon.given_noun[Category.ADVERB][beside])
    if chooser.choose(_odds(options.object)):
        object_ = _argument(lexicon, topic, chooser, "object", options.object_entity)
    if chooser.choose(_odds(options.oblique)):
        adposition = chooser.choose(ADPOSITION)
        oblique = _argument(lexicon, topic, chooser, "oblique", options.oblique_entity)
    return Frame(subject, verb, past, adverb, object_, adposition, oblique, chooser.choose(MARK))


def _argument(lexicon: Lexicon, topic: int, chooser: Chooser, role: str, entity: float) -> NounPhrase | Entity:
    if not chooser.choose(_odds(entity)):
        return _noun_phrase(lexicon, topic, chooser, lexicon.options.modifier)
    kind = ENTITIES[chooser.choose(ENTITY[role])]
    name = chooser.choose(_equal(lexicon.options.names))
    if kind == "ORG":
        return Entity(kind, name, chooser.choose(_equal(DESIGNATORS)))
    if not chooser.choose(FAMILY_NAME if kind == "PER" else PREFIXED):
        return Entity(kind, name, None)
    return Entity(kind, name, chooser.choose(_equal(lexicon.options.names if kind == "PER" else PREFIXES)))


def _noun_phrase(lexicon: Lexicon, topic: int, chooser: Chooser, modifier: float) -> NounPhrase:
    joint = determination_and_number(lexicon)
    determination, plural = list(joint)[chooser.choose(list(joint.values()))]
    numeral = chooser.choose(_equal(len(NUMERALS))) if determination == "numeral" else None
    noun = chooser.choose(lexicon.noun_given_topic[topic])
    adjective = None
    if chooser.choose(_odds(lexicon.options.adjective)):
        adjective = chooser.choose(lexicon.given_noun[Category.ADJECTIVE][noun])
    belongs = _noun_phrase(lexicon, topic, chooser, 0.0) if chooser.choose(_odds(modifier)) else None
    return NounPhrase(noun, plural, determination, numeral, adjective, belongs)


def _odds(probability: float) -> Sequence[float]:
    return (1 - probability, probability)


def _equal(count: int) -> Sequence[float]:
    return (1 / count,) * count
