"""Attachment scores of parsed treebanks, and their intervals over sentences."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from semeqv.lazy import Floats, NDArray, numpy
from semeqv.results.statistics import scored
from semeqv.tasks.classification.metrics import divided
from semeqv.text.readers.conllu import written
from semeqv.text.records import UNSAID, Sentence, Word

SCORES = {"las": "LAS", "uas": "UAS", "upos": "UPOS"}


def conll18_scores(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
    """Score parsed sentences, as CoNLL-U.

    Args:
        gold: The sentences with their true trees.
        predicted: The same with those that were predicted.

    Returns:
        `las`, `uas` and `upos`, F1 from 0 to 1; nothing when udtools is not installed (the extra `eval`), whose numbers
        those of `score_trees` equal.
    """
    try:
        from udtools.udeval import evaluate, load_conllu
    except ImportError:
        return {}
    results = evaluate(*(load_conllu(io.StringIO(text_of(each)), "", {}) for each in (gold, predicted)))
    return {name: float(results[official].f1) for name, official in SCORES.items()}


def text_of(sentences: Sequence[Sentence]) -> str:
    """Return sentences as CoNLL-U."""
    return "".join(f"{line}\n" for sentence in sentences for line in [*written(sentence), ""])


COUNTED = ("words", "las", "uas", "upos")


def score_trees(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], *, tagged: bool, replicates: int
) -> dict[str, float]:
    """Score trees; with intervals, the scores are those of the official scorer where it is installed.

    Args:
        gold: The sentences with their true trees.
        predicted: The same with those that were predicted.
        tagged: Whether tags were predicted, too.
        replicates: Bootstrap samples of the intervals; 0 for none.

    Returns:
        `las` (words with the right head and relation), `uas` (with the right head) and `upos` as shares of all words,
        and in `NAME_low` and `NAME_high` their 95% intervals over sentences.
    """
    names = COUNTED[1 : None if tagged else -1]
    counts = tree_counts(gold, predicted)
    results = scored(counts, lambda sums: {name: tree_scores(sums)[name] for name in names}, replicates)
    if replicates:
        official = conll18_scores(gold, predicted)
        results |= {name: official[name] for name in names if name in official}
    return results


def tree_counts(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> NDArray[numpy.int64]:
    """Count right words, as the official scorer does on words that are given: relations without their subtypes.

    Args:
        gold: The sentences with their true trees.
        predicted: The same with those that were predicted.

    Returns:
        `(sentences, 4)`: words; those with the right head and relation, the right head, the right tag.
    """
    counts = numpy.zeros((len(gold), len(COUNTED)), numpy.int64)
    for number, (true, parsed) in enumerate(zip(gold, predicted)):
        for word, guess in zip(true.words, parsed.words):
            head = word.head == guess.head
            relation = word.deprel.partition(":")[0] == guess.deprel.partition(":")[0]
            counts[number] += (1, head and relation, head, word.upos == guess.upos)
    return counts


def tree_scores(counts: NDArray[Any]) -> dict[str, Floats]:
    """Return scores from sums of counts.

    Args:
        counts: `(..., 4)`, as of `tree_counts`.

    Returns:
        `las`, `uas` and `upos`, each `(...)`; 0 where there is no word.
    """
    words, *right = numpy.moveaxis(counts.astype(numpy.float64), -1, 0)
    return {name: divided(each, words) for name, each in zip(COUNTED[1:], right)}


UNREAD = "dep"  # the relation of UD for what cannot be told


def arcs(words: tuple[Word, ...]) -> list[str]:
    """Return the head and the relation of each word."""
    return [f"{UNSAID if word.head is None else word.head}:{word.deprel}" for word in words]
