"""What is counted in each sentence, and the scores that follow from sums of it.

A tally is `(..., 3, classes)`: of each class how many were right (`hits`), how many were predicted, how many there are.
"""

from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

Integers = NDArray[numpy.int64]
Floats = NDArray[numpy.float64]
OUTSIDE = -1  # the type of what is in no entity


def label_tally(gold: Integers, predicted: Integers, sentence: Integers, sentences: int, classes: int) -> Integers:
    """Count labels.

    Args:
        gold: True labels, `(labels,)`, none of them -100.
        predicted: Predicted ones, `(labels,)`; -100 for what is none of the labels.
        sentence: The sentence of each, `(labels,)`.
        sentences: How many sentences there are.
        classes: How many different labels there are.

    Returns:
        `(sentences, 3, classes)`.
    """
    right, said = gold == predicted, predicted >= 0
    kinds = [gold[right], predicted[said], gold]
    return tallied(kinds, [sentence[right], sentence[said], sentence], sentences, classes)


def tallied(classes_of: Sequence[Integers], sentences_of: Sequence[Integers], sentences: int, classes: int) -> Integers:
    """Count the classes of three kinds of things, by sentence: `(sentences, 3, classes)`."""
    counts = [
        numpy.bincount(sentence * classes + kind, minlength=sentences * classes).reshape(sentences, classes)
        for kind, sentence in zip(classes_of, sentences_of)
    ]
    return numpy.stack(counts, axis=1)


def entity_tally(
    gold: Integers, predicted: Integers, sentence: Integers, sentences: int, tags: Sequence[str]
) -> tuple[Integers, list[str]]:
    """Count entities, as `seqeval` does in its strict mode for IOB2: an `I-` that continues nothing is no entity.

    Args:
        gold: True tags, `(words,)`, sentence after sentence.
        predicted: Predicted ones, `(words,)`.
        sentence: The sentence of each word, `(words,)`.
        sentences: How many sentences there are.
        tags: The names of the tags: `O`, `B-PER`, `I-PER`.

    Returns:
        `(sentences, 3, types)`, and the names of the types. An entity is right when its first word, its last word and
        its type are.
    """
    types = sorted({tag[2:] for tag in tags if tag != "O"})
    begins = numpy.array([tag.startswith("B-") for tag in tags])
    type_of = numpy.array([types.index(tag[2:]) if tag != "O" else OUTSIDE for tag in tags], numpy.int64)
    (first, last, kind), (their_first, their_last, their_kind) = (
        entities(begins[each], type_of[each], sentence) for each in (gold, predicted)
    )
    _, ours, theirs = numpy.intersect1d(first, their_first, assume_unique=True, return_indices=True)
    right = ours[(last[ours] == their_last[theirs]) & (kind[ours] == their_kind[theirs])]
    kinds = [kind[right], their_kind, kind]
    return tallied(
        kinds, [sentence[first[right]], sentence[their_first], sentence[first]], sentences, len(types)
    ), types


def entities(begins: NDArray[numpy.bool_], types: Integers, sentence: Integers) -> tuple[Integers, Integers, Integers]:
    """Find the entities of tagged words.

    Args:
        begins: Whether each word has a `B-`, `(words,)`.
        types: The type in its tag, `OUTSIDE` for `O`, `(words,)`.
        sentence: Its sentence, `(words,)`.

    Returns:
        Of each entity the first word, the last word and the type, `(entities,)`.
    """
    goes_on = ~begins & (types != OUTSIDE)  # an I- that may continue the word before it
    goes_on[1:] &= (types[1:] == types[:-1]) & (sentence[1:] == sentence[:-1])
    goes_on[:1] = False
    starts = numpy.flatnonzero(~goes_on)  # of runs of words, each an entity, a word outside, or an I- that is wrong
    ends = numpy.append(starts[1:], len(types)) - 1
    real = begins[starts]
    return starts[real], ends[real], types[starts[real]]


def label_scores(tally: NDArray[Any]) -> dict[str, Floats]:
    """Accuracy, and the mean over classes of their F1; a class that is neither there nor predicted does not count.

    Args:
        tally: `(..., 3, classes)`.

    Returns:
        `accuracy` and `macro_f1`, each `(...)`.
    """
    hits, _, gold = sums_of(tally)
    return {"accuracy": divided(hits, gold), "macro_f1": macro_f1(tally)}


def entity_scores(tally: NDArray[Any]) -> dict[str, Floats]:
    """Precision, recall and F1 over all entities, and the mean over types of their F1.

    Args:
        tally: `(..., 3, types)`.

    Returns:
        `f1`, `precision`, `recall` and `macro_f1`, each `(...)`; 0 where there is nothing to divide by.
    """
    hits, predicted, gold = sums_of(tally)
    return {
        "f1": divided(2 * hits, predicted + gold),
        "precision": divided(hits, predicted),
        "recall": divided(hits, gold),
        "macro_f1": macro_f1(tally),
    }


def sums_of(tally: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Hits, predicted and gold over all classes, each `(...)`."""
    hits, predicted, gold = numpy.moveaxis(tally.sum(-1).astype(numpy.float64), -1, 0)
    return hits, predicted, gold


def macro_f1(tally: NDArray[Any]) -> Floats:
    """The mean of the F1 of each class that is there or predicted, `(...)`."""
    hits, predicted, gold = numpy.moveaxis(tally.astype(numpy.float64), -2, 0)  # each (..., classes)
    f1 = divided(2 * hits, predicted + gold)
    return divided(f1.sum(-1), (predicted + gold > 0).sum(-1).astype(numpy.float64))


def divided(above: Floats, below: Floats) -> Floats:
    """A quotient, 0 where there is nothing to divide by."""
    return numpy.divide(above, below, out=numpy.zeros_like(above), where=below > 0)
