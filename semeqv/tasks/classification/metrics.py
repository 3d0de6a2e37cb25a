"""From true and predicted labels to scores and their intervals."""

from collections.abc import Sequence

import numpy

from semeqv.results.bootstrap import scored
from semeqv.tasks.classification.official import seqeval_scores
from semeqv.tasks.classification.rows import UNLABELLED, Integers
from semeqv.tasks.classification.tallies import entity_scores, entity_tally, label_scores, label_tally


def judged(
    gold: Integers,
    predicted: Integers,
    sizes: Integers,
    names: Sequence[str],
    *,
    entities: bool,
    replicates: int,
) -> dict[str, float]:
    """Judge labels: entities by F1 (where there is seqeval, it has the last word), others by accuracy and macro F1.

    Args:
        gold: True labels, `(labels,)`, sentence after sentence; those of -100 do not count.
        predicted: Predicted ones, `(labels,)`.
        sizes: How many labels each sentence has, `(sentences,)`.
        names: The labels by their numbers.
        entities: Whether they are tags of IOB2.
        replicates: Bootstrap samples of the intervals; 0 for none.

    Returns:
        The scores, and in `NAME_low` and `NAME_high` their 95% intervals.
    """
    scores = entity_scores if entities else label_scores
    tally = tally_of(gold, predicted, sizes, names, entities=entities)
    found = scored(tally, scores, replicates)
    if entities and replicates:
        found |= seqeval_scores(named(gold, sizes, names), named(predicted, sizes, names))
    return found


def tally_of(gold: Integers, predicted: Integers, sizes: Integers, names: Sequence[str], *, entities: bool) -> Integers:
    """What is counted in each sentence; arguments as of `judged`. Gives `(sentences, 3, classes)`, see `tallies`."""
    asked = gold != UNLABELLED
    sentence = numpy.repeat(numpy.arange(len(sizes)), sizes)
    known = (gold[asked], predicted[asked], sentence[asked], len(sizes))
    return entity_tally(*known, names)[0] if entities else label_tally(*known, len(names))


def named(labels: Integers, sizes: Integers, names: Sequence[str]) -> list[list[str]]:
    """The names of labels, `(labels,)`, sentence by sentence; empty where there is none."""
    found = numpy.array([*names, ""])[numpy.where(labels == UNLABELLED, -1, labels)]
    return [part.tolist() for part in numpy.split(found, numpy.cumsum(sizes)[:-1])]
