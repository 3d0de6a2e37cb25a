"""Glosses of words, in the manner of the Leipzig Glossing Rules (https://www.eva.mpg.de/lingua/pdf/Glossing-Rules.pdf)."""

from semeqv.babel.document import Token
from semeqv.babel.lexicon import Lexicon
from semeqv.babel.vocabulary import Category

SHORT = {Category.NOUN: "n", Category.VERB: "v", Category.ADJECTIVE: "a", Category.ADVERB: "d"}
FUNCTION = {"genitive": "GEN", "adposition": "ADP", "accusative": "ACC"}
INFLECTION = {"Number=Plur": "-PL", "Tense=Past": "-PST", "Definite=Def": "DEF", "Definite=Ind": "INDF"}


def gloss(token: Token, lexicon: Lexicon) -> str:
    """What a word means and how it is inflected, such as `n17.t3-PL`; of names, what they name; of marks, nothing."""
    if token.entity != "O":
        return token.entity[2:] if token.entity[0] == "B" else "·"
    stem = FUNCTION.get(token.node.rpartition(".")[2], "") if token.concept is None else sense(token.concept, lexicon)
    return stem + "".join(said for feature, said in INFLECTION.items() if feature in token.features.split("|"))


def sense(concept: int, lexicon: Lexicon) -> str:
    """The sense of a word in short: `n17.t3` for noun 17, of topic 3."""
    known = lexicon.concepts[concept]
    return f"{SHORT[known.category]}{known.item}" + ("" if known.topic is None else f".t{known.topic}")
