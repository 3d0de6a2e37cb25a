"""The official scorer of the CoNLL 2018 shared task (Zeman et al., 2018): that of the package `udtools`."""

import io
from collections.abc import Sequence

from semeqv.text.readers.conllu import written
from semeqv.text.records import Sentence

SCORES = {"las": "LAS", "uas": "UAS", "upos": "UPOS"}


def official_scores(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
    """Score parsed sentences, as CoNLL-U.

    Args:
        gold: The sentences with their true trees.
        predicted: The same with those that were predicted.

    Returns:
        `las`, `uas` and `upos`, F1 from 0 to 1; nothing when udtools is not installed (the extra `eval`), whose numbers
        those of `judging` equal.
    """
    try:
        from udtools.udeval import evaluate, load_conllu
    except ImportError:
        return {}
    found = evaluate(*(load_conllu(io.StringIO(text_of(each)), "", {}) for each in (gold, predicted)))
    return {name: float(found[official].f1) for name, official in SCORES.items()}


def text_of(sentences: Sequence[Sentence]) -> str:
    """Sentences as CoNLL-U."""
    return "".join(f"{line}\n" for sentence in sentences for line in [*written(sentence), ""])
