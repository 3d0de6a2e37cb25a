"""A generated corpus in two invented languages, of which everything is known."""

from semeqv.text.babel.document import Document, Sentence, Token
from semeqv.text.babel.grammar import Grammar
from semeqv.text.babel.lexicon import Concept, Homonym, Lexicon
from semeqv.text.babel.options import LANGUAGES, GrammarOptions
from semeqv.text.babel.reader import BayesReader, Bound, Disambiguation

__all__ = [
    "LANGUAGES",
    "BayesReader",
    "Bound",
    "Concept",
    "Disambiguation",
    "Document",
    "Grammar",
    "GrammarOptions",
    "Homonym",
    "Lexicon",
    "Sentence",
    "Token",
]
