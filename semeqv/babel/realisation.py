"""How a frame is said in each of the languages.

Lume: subject, adverb, verb, object, adpositional phrase. Articles, numerals and adjectives stand before their noun, a
modifying noun behind it; prepositions.

Drask: subject, adpositional phrase, object, adverb, verb. A modifying noun stands before its noun, adjectives and
numerals behind it; postpositions, and a particle behind the object. Adjectives agree, and there are no articles.
"""

from typing import NamedTuple

from semeqv.babel.document import Sentence, Token
from semeqv.babel.frame import Entity, Frame, NounPhrase
from semeqv.babel.lexicon import Lexicon
from semeqv.babel.vocabulary import CONTENT, Analysis, Category

UPOS = {
    Category.NOUN: "NOUN",
    Category.VERB: "VERB",
    Category.ADJECTIVE: "ADJ",
    Category.ADVERB: "ADV",
    Category.DEFINITE: "DET",
    Category.INDEFINITE: "DET",
    Category.NUMERAL: "NUM",
    Category.GENITIVE: "ADP",
    Category.ADPOSITION: "ADP",
    Category.ACCUSATIVE: "ADP",
    Category.GIVEN: "PROPN",
    Category.NAME: "PROPN",
    Category.PREFIX: "PROPN",
    Category.DESIGNATOR: "PROPN",
    Category.MARK: "PUNCT",
}
FEATURES = {
    Category.NOUN: "Number={number}",
    Category.VERB: "Mood=Ind|Number={number}|Tense={tense}|VerbForm=Fin",
    Category.DEFINITE: "Definite=Def|PronType=Art",
    Category.INDEFINITE: "Definite=Ind|Number=Sing|PronType=Art",
    Category.NUMERAL: "NumForm=Digit|NumType=Card",
    Category.ACCUSATIVE: "Case=Acc",
    Category.GIVEN: "Number=Sing",
    Category.NAME: "Number=Sing",
    Category.PREFIX: "Number=Sing",
    Category.DESIGNATOR: "Number=Sing",
}
RELATIONS = {"subject": "nsubj", "object": "obj", "oblique": "obl", "modifier": "nmod"}
OTHER = {"PER": Category.NAME, "ORG": Category.DESIGNATOR, "LOC": Category.PREFIX}  # the second part of a name


class Word(NamedTuple):
    """A word before its place is known: its head is named by node."""

    node: str
    analysis: Analysis
    head: str
    relation: str
    entity: str = "O"


class Voice:
    """Says frames in one language.

    Args:
        lexicon: The words.
        language: The language.
    """

    def __init__(self, lexicon: Lexicon, language: str):
        self._language, vocabulary = language, lexicon.vocabularies[language]
        self._lume, agreement = language == "lume", vocabulary.morphology.agreement
        self._known: dict[Analysis, tuple[str, str, str, str, int | None]] = {}
        for analysis, form in vocabulary.forms.items():
            kind, item, plural, past = analysis
            features = FEATURES.get(kind, "Number={number}" if kind is Category.ADJECTIVE and agreement else "")
            features = features.format(number="Plur" if plural else "Sing", tense="Past" if past else "Pres")
            concept = lexicon.concept(kind, item).id if kind in CONTENT else None
            self._known[analysis] = form, vocabulary.lemma(kind, item), UPOS[kind], features, concept

    def say(self, frame: Frame) -> Sentence:
        """Say a frame."""
        verb = [Word("verb", Analysis(Category.VERB, frame.verb, frame.subject.plural, frame.past), "", "root")]
        mark = [Word("mark", Analysis(Category.MARK, frame.mark), "verb", "punct")]
        adverb, adposition = list[Word](), list[Word]()
        if frame.adverb is not None:
            adverb = [Word("adverb", Analysis(Category.ADVERB, frame.adverb), "verb", "advmod")]
        subject = self._phrase(frame.subject, "subject", "verb")
        object_ = self._phrase(frame.object, "object", "verb")
        oblique = self._phrase(frame.oblique, "oblique", "verb")
        if oblique:
            adposition = [Word("adposition", Analysis(Category.ADPOSITION, frame.adposition), "oblique", "case")]
        if self._lume:
            return self._sentence([*subject, *adverb, *verb, *object_, *adposition, *oblique, *mark])
        if object_:
            object_.append(Word("accusative", Analysis(Category.ACCUSATIVE, 0), "object", "case"))
        return self._sentence([*subject, *oblique, *adposition, *object_, *adverb, *verb, *mark])

    def _phrase(self, phrase: NounPhrase | Entity | None, role: str, head: str) -> list[Word]:
        """The words of an argument, or of none."""
        if isinstance(phrase, NounPhrase):
            return self._noun_phrase(phrase, role, head)
        return [] if phrase is None else self._entity(phrase, role, head)

    def _noun_phrase(self, phrase: NounPhrase, role: str, head: str) -> list[Word]:
        noun = Word(role, Analysis(Category.NOUN, phrase.noun, phrase.plural), head, RELATIONS[role.rpartition(".")[2]])
        adjective, numeral, article, genitive = list[Word](), list[Word](), list[Word](), list[Word]()
        if phrase.adjective is not None:
            reading = Analysis(Category.ADJECTIVE, phrase.adjective, phrase.plural and not self._lume)
            adjective = [Word(f"{role}.adjective", reading, role, "amod")]
        if phrase.numeral is not None:
            numeral = [Word(f"{role}.numeral", Analysis(Category.NUMERAL, phrase.numeral), role, "nummod")]
        if phrase.determination == "definite":
            article = [Word(f"{role}.article", Analysis(Category.DEFINITE, 0), role, "det")]
        elif phrase.determination == "indefinite" and not phrase.plural:
            article = [Word(f"{role}.article", Analysis(Category.INDEFINITE, 0), role, "det")]
        belongs = self._phrase(phrase.modifier, f"{role}.modifier", role)
        if belongs:
            genitive = [Word(f"{role}.genitive", Analysis(Category.GENITIVE, 0), f"{role}.modifier", "case")]
        if self._lume:
            return [*article, *numeral, *adjective, noun, *genitive, *belongs]
        return [*belongs, *genitive, noun, *adjective, *numeral]

    def _entity(self, entity: Entity, role: str, head: str) -> list[Word]:
        """The parts of a name; the first is the head of the others."""
        category = Category.GIVEN if entity.kind == "PER" else Category.NAME
        parts = [(f"{role}.name", Analysis(category, entity.name))]
        if entity.other is not None:
            parts.append((f"{role}.other", Analysis(OTHER[entity.kind], entity.other)))
            if entity.kind == "LOC" or (entity.kind == "ORG" and not self._lume):
                parts.reverse()
        (node, first), *rest = parts
        words = [Word(node, first, head, RELATIONS[role], f"B-{entity.kind}")]
        return words + [Word(part, analysis, node, "flat", f"I-{entity.kind}") for part, analysis in rest]

    def _sentence(self, words: list[Word]) -> Sentence:
        places = {"": 0}
        for place, word in enumerate(words, start=1):
            places[word.node] = place
            if word.entity[0] == "B":  # the first word of a name answers for its role
                places[word.node.partition(".")[0]] = place
        tokens = []
        for node, analysis, head, relation, entity in words:
            form, lemma, upos, features, concept = self._known[analysis]
            tokens.append(Token(form, lemma, upos, features, places[head], relation, entity, concept, node))
        return Sentence(self._language, tuple(tokens))
