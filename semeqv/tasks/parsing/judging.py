"""From true and predicted trees to scores and their intervals."""

from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from semeqv.results.bootstrap import scored
from semeqv.tasks.classification.tallies import divided
from semeqv.tasks.parsing.official import official_scores
from semeqv.text.records import Sentence

Floats = NDArray[numpy.float64]
COUNTED = ("words", "las", "uas", "upos")


def judged(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], *, tagged: bool, replicates: int
) -> dict[str, float]:
    """Judge trees. Where intervals are asked for and the official scorer is there, it has the last word.

    Args:
        gold: The sentences with their true trees.
        predicted: The same with those that were predicted.
        tagged: Whether tags were predicted, too.
        replicates: Bootstrap samples of the intervals; 0 for none.

    Returns:
        `las` (words with the right head and relation), `uas` (with the right head) and `upos` as shares of all words,
        and in `NAME_low` and `NAME_high` their 95% intervals over sentences.
    """
    asked = COUNTED[1 : None if tagged else -1]
    counts = counted(gold, predicted)
    found = scored(counts, lambda sums: {name: shares(sums)[name] for name in asked}, replicates)
    if replicates:
        official = official_scores(gold, predicted)
        found |= {name: official[name] for name in asked if name in official}
    return found


def counted(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> NDArray[numpy.int64]:
    """Count right words, as the official scorer does on words that are given: relations without their subtypes.

    Args:
        gold: The sentences with their true trees.
        predicted: The same with those that were predicted.

    Returns:
        `(sentences, 4)`: words; those with the right head and relation, the right head, the right tag.
    """
    counts = numpy.zeros((len(gold), len(COUNTED)), numpy.int64)
    for number, (one, other) in enumerate(zip(gold, predicted)):
        for word, found in zip(one.words, other.words):
            head = word.head == found.head
            relation = word.deprel.partition(":")[0] == found.deprel.partition(":")[0]
            counts[number] += (1, head and relation, head, word.upos == found.upos)
    return counts


def shares(counts: NDArray[Any]) -> dict[str, Floats]:
    """Scores from sums of counts.

    Args:
        counts: `(..., 4)`, as of `counted`.

    Returns:
        `las`, `uas` and `upos`, each `(...)`; 0 where there is no word.
    """
    words, *right = numpy.moveaxis(counts.astype(numpy.float64), -1, 0)
    return {name: divided(each, words) for name, each in zip(COUNTED[1:], right)}
