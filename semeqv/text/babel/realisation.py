"""How a frame is said in each of the languages.

Lume: subject, adverb, verb, object, adpositional phrase. Articles, numerals and adjectives stand before their noun, a
modifying noun behind it; prepositions. `va tole raniri semu-va ...`

Drask: subject, adpositional phrase, object, adverb, verb. A modifying noun stands before its noun, adjectives and numerals
behind it; postpositions, and a particle behind the object. Adjectives agree, and there are no articles.
"""

from dataclasses import dataclass

from semeqv.text.babel.document import Sentence, Token
from semeqv.text.babel.frame import Entity, Frame, NounPhrase
from semeqv.text.babel.lexicon import Lexicon
from semeqv.text.babel.vocabulary import CONTENT, Analysis, Category

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
RELATIONS = {"subject": "nsubj", "object": "obj", "oblique": "obl", "modifier": "nmod"}


@dataclass(frozen=True)
class Word:
    """A word before its place is known: its head is named by node."""

    node: str
    analysis: Analysis
    head: str
    relation: str
    entity: str = "O"


def realise(lexicon: Lexicon, frame: Frame, language: str) -> Sentence:
    """Say a frame in a language."""
    plural = frame.subject.plural
    verb = [Word("verb", Analysis(Category.VERB, frame.verb, plural, frame.past), "", "root")]
    adverb = []
    if frame.adverb is not None:
        adverb = [Word("adverb", Analysis(Category.ADVERB, frame.adverb), "verb", "advmod")]
    mark = [Word("mark", Analysis(Category.MARK, frame.mark), "verb", "punct")]
    subject = _phrase(frame.subject, "subject", "verb", language)
    object_ = _phrase(frame.object, "object", "verb", language)
    oblique = _phrase(frame.oblique, "oblique", "verb", language)
    adposition = [Word("adposition", Analysis(Category.ADPOSITION, frame.adposition), "oblique", "case")][: len(oblique)]
    if language == "lume":
        words = [*subject, *adverb, *verb, *object_, *adposition, *oblique, *mark]
    else:
        particle = [Word("accusative", Analysis(Category.ACCUSATIVE, 0), "object", "case")][: len(object_)]
        words = [*subject, *oblique, *adposition, *object_, *particle, *adverb, *verb, *mark]
    return _sentence(lexicon, words, language)


def _phrase(phrase: NounPhrase | Entity | None, role: str, head: str, language: str) -> list[Word]:
    if phrase is None:
        return []
    if isinstance(phrase, Entity):
        return _entity(phrase, role, head, language)
    kind = role.rpartition(".")[2]
    noun = [Word(role, Analysis(Category.NOUN, phrase.noun, phrase.plural), head, RELATIONS[kind])]
    adjective, numeral, article = [], [], []
    if phrase.adjective is not None:
        plural = phrase.plural and language == "drask"
        adjective = [Word(f"{role}.adjective", Analysis(Category.ADJECTIVE, phrase.adjective, plural), role, "amod")]
    if phrase.numeral is not None:
        numeral = [Word(f"{role}.numeral", Analysis(Category.NUMERAL, phrase.numeral), role, "nummod")]
    if phrase.determination == "definite":
        article = [Word(f"{role}.article", Analysis(Category.DEFINITE, 0), role, "det")]
    elif phrase.determination == "indefinite" and not phrase.plural:
        article = [Word(f"{role}.article", Analysis(Category.INDEFINITE, 0), role, "det")]
    belongs = _phrase(phrase.modifier, f"{role}.modifier", role, language)
    genitive = [Word(f"{role}.genitive", Analysis(Category.GENITIVE, 0), f"{role}.modifier", "case")][: len(belongs)]
    if language == "lume":
        return [*article, *numeral, *adjective, *noun, *genitive, *belongs]
    return [*belongs, *genitive, *noun, *adjective, *numeral]


def _entity(entity: Entity, role: str, head: str, language: str) -> list[Word]:
    category = Category.GIVEN if entity.kind == "PER" else Category.NAME
    parts = [(f"{role}.name", Analysis(category, entity.name))]
    if entity.other is not None:
        other = {"PER": Category.NAME, "ORG": Category.DESIGNATOR, "LOC": Category.PREFIX}[entity.kind]
        parts.append((f"{role}.other", Analysis(other, entity.other)))
        if entity.kind == "LOC" or (entity.kind == "ORG" and language == "drask"):
            parts.reverse()
    (node, first), *rest = parts
    head_word = Word(node, first, head, RELATIONS[role], f"B-{entity.kind}")
    return [head_word, *(Word(node, part, parts[0][0], "flat", f"I-{entity.kind}") for node, part in rest)]


def _sentence(lexicon: Lexicon, words: list[Word], language: str) -> Sentence:
    places = {word.node: place for place, word in enumerate(words, start=1)} | {"": 0}
    for role in RELATIONS:  # an entity answers for its role by its first word
        first = next((word.node for word in words if word.node.startswith(f"{role}.") and word.entity[0] == "B"), None)
        if first is not None:
            places[role] = places[first]
    vocabulary, tokens = lexicon.vocabularies[language], []
    for word in words:
        category, item = word.analysis.category, word.analysis.item
        token = Token(
            form=vocabulary.forms[word.analysis],
            lemma=vocabulary.lemma(category, item),
            upos=UPOS[category],
            features=_features(word.analysis, language),
            head=places[word.head],
            relation=word.relation,
            entity=word.entity,
            concept=lexicon.concept(category, item).id if category in CONTENT else None,
            node=word.node,
        )
        tokens.append(token)
    return Sentence(language, tuple(tokens))


def _features(analysis: Analysis, language: str) -> tuple[tuple[str, str], ...]:
    number = ("Number", "Plur" if analysis.plural else "Sing")
    match analysis.category:
        case Category.NOUN:
            return (number,)
        case Category.ADJECTIVE:
            return (number,) if language == "drask" else ()
        case Category.VERB:
            return ("Mood", "Ind"), number, ("Tense", "Past" if analysis.past else "Pres"), ("VerbForm", "Fin")
        case Category.DEFINITE:
            return ("Definite", "Def"), ("PronType", "Art")
        case Category.INDEFINITE:
            return ("Definite", "Ind"), ("Number", "Sing"), ("PronType", "Art")
        case Category.NUMERAL:
            return ("NumForm", "Digit"), ("NumType", "Card")
        case Category.ACCUSATIVE:
            return (("Case", "Acc"),)
        case Category.GIVEN | Category.NAME | Category.PREFIX | Category.DESIGNATOR:
            return (("Number", "Sing"),)
    return ()
