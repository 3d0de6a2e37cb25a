"""What several studies measure: language models on texts, minimal pairs, translations, trees and forms.

    from semeqv.tasks import retrieve

    scores = retrieve(model, tokenizer, ["une maison", "la rue"], ["a house", "the street"])
    scores.accuracy(k=1)

Each name is an action as a function: it takes a model, its tokenizer and data, and returns what it measured. `retrieve`
takes sentences themselves; the action `cli retrieval`, which reads them from corpora, is in
`semeqv.tasks.retrieval.retrieval`. The names are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semeqv.tasks.inflection.inflect import inflect
    from semeqv.tasks.likelihood.minimal_pairs import minimal_pairs
    from semeqv.tasks.likelihood.perplexity import perplexity
    from semeqv.tasks.parsing.parse import parse
    from semeqv.tasks.retrieval.retrieval import retrieve

__all__ = ["inflect", "minimal_pairs", "parse", "perplexity", "retrieve"]

MODULES = {
    "inflect": "semeqv.tasks.inflection.inflect",
    "minimal_pairs": "semeqv.tasks.likelihood.minimal_pairs",
    "parse": "semeqv.tasks.parsing.parse",
    "perplexity": "semeqv.tasks.likelihood.perplexity",
    "retrieve": "semeqv.tasks.retrieval.retrieval",
}


def __getattr__(name: str) -> Any:
    """Import a public name."""
    if name not in MODULES:
        raise AttributeError(f"module 'semeqv.tasks' has no attribute {name!r}")
    return getattr(importlib.import_module(MODULES[name]), name)
