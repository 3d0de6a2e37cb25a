"""What a sentence says, before it is said in a language."""

from typing import NamedTuple

from semeqv.babel.chance import Chooser, Distribution, equal, odds
from semeqv.babel.lexicon import ENTITIES, Lexicon
from semeqv.babel.vocabulary import DESIGNATORS, NUMERALS, PREFIXES, Category

# What is open to choice beside the options; the parts of a name are equally probable.
FAMILY_NAME = (0.4, 0.6)  # no, yes
PREFIXED = (0.7, 0.3)
MARK = (0.9, 0.1)
ADPOSITION = (0.4, 0.3, 0.2, 0.1)
ENTITY = {"subject": (0.6, 0.4, 0.0), "object": (0.3, 0.3, 0.4), "oblique": (0.0, 0.0, 1.0)}  # of ENTITIES
DETERMINATIONS = ("definite", "indefinite", "numeral")


class NounPhrase(NamedTuple):
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


class Entity(NamedTuple):
    """A named entity.

    Args:
        kind: PER, ORG or LOC.
        name: Which name: of a person the given one.
        other: Which family name, designator of an organisation or prefix of a place, if any.
        plural: Its number, which is never plural.
    """

    kind: str
    name: int
    other: int | None
    plural: bool = False


class Frame(NamedTuple):
    """A sentence, its words being numbers within their class; `adposition` counts only beside an `oblique`."""

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


class Author:
    """Decides what sentences say.

    Args:
        lexicon: The words and their probabilities.
    """

    def __init__(self, lexicon: Lexicon):
        options = lexicon.options
        self._nouns = lexicon.nouns
        self._noun_given_topic = [Distribution(row) for row in lexicon.noun_given_topic]
        self._given_noun = {kind: [Distribution(row) for row in rows] for kind, rows in lexicon.given_noun.items()}
        joint = determination_and_number(lexicon)
        self._determinations, self._determination = list(joint), Distribution(joint.values())
        self._past, self._adverb, self._adjective = odds(options.past), odds(options.adverb), odds(options.adjective)
        self._modifier, self._never = odds(options.modifier), odds(0.0)
        self._present = {"object": odds(options.object), "oblique": odds(options.oblique)}
        shares = (options.subject_entity, options.object_entity, options.oblique_entity)
        self._entity = {role: odds(share) for role, share in zip(ENTITY, shares)}
        self._kind = {role: Distribution(shares) for role, shares in ENTITY.items()}
        self._adposition, self._mark, self._numeral = Distribution(ADPOSITION), Distribution(MARK), equal(len(NUMERALS))
        self._name = equal(options.names)
        self._has_other = {"PER": Distribution(FAMILY_NAME), "ORG": odds(1.0), "LOC": Distribution(PREFIXED)}
        self._other = {"PER": self._name, "ORG": equal(DESIGNATORS), "LOC": equal(PREFIXES)}

    def frame(self, topic: int, chooser: Chooser) -> Frame:
        """Choose a sentence on a topic."""
        choose = chooser.choose
        subject = self._argument(topic, chooser, "subject")
        beside = subject.noun if isinstance(subject, NounPhrase) else self._nouns + ENTITIES.index(subject.kind)
        verb = choose(self._given_noun[Category.VERB][beside])
        past = bool(choose(self._past))
        adverb = object_ = oblique = None
        adposition = 0
        if choose(self._adverb):
            adverb = choose(self._given_noun[Category.ADVERB][beside])
        if choose(self._present["object"]):
            object_ = self._argument(topic, chooser, "object")
        if choose(self._present["oblique"]):
            adposition = choose(self._adposition)
            oblique = self._argument(topic, chooser, "oblique")
        return Frame(subject, verb, past, adverb, object_, adposition, oblique, choose(self._mark))

    def _argument(self, topic: int, chooser: Chooser, role: str) -> NounPhrase | Entity:
        choose = chooser.choose
        if not choose(self._entity[role]):
            return self._noun_phrase(topic, chooser, self._modifier)
        kind = ENTITIES[choose(self._kind[role])]
        name = choose(self._name)
        return Entity(kind, name, choose(self._other[kind]) if choose(self._has_other[kind]) else None)

    def _noun_phrase(self, topic: int, chooser: Chooser, modifier: Distribution) -> NounPhrase:
        choose = chooser.choose
        determination, plural = self._determinations[choose(self._determination)]
        numeral = choose(self._numeral) if determination == "numeral" else None
        noun = choose(self._noun_given_topic[topic])
        adjective = choose(self._given_noun[Category.ADJECTIVE][noun]) if choose(self._adjective) else None
        belongs = self._noun_phrase(topic, chooser, self._never) if choose(modifier) else None
        return NounPhrase(noun, plural, determination, numeral, adjective, belongs)
