"""Scores of labels, and their intervals: accuracy, macro F1, F1 of entities."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from semeqv.lazy import Floats, Integers, NDArray, numpy
from semeqv.results.statistics import scored
from semeqv.tasks.classification.rows import UNLABELLED

OUTSIDE = -1  # the type of what is in no entity


def label_counts(gold: Integers, predicted: Integers, sentence: Integers, sentences: int, classes: int) -> Integers:
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
    right, labelled = gold == predicted, predicted >= 0
    kinds = [gold[right], predicted[labelled], gold]
    return counts_by_sentence(kinds, [sentence[right], sentence[labelled], sentence], sentences, classes)


def counts_by_sentence(
    classes_of: Sequence[Integers], sentences_of: Sequence[Integers], sentences: int, classes: int
) -> Integers:
    """Count the classes of three kinds of things, by sentence: `(sentences, 3, classes)`."""
    counts = [
        numpy.bincount(sentence * classes + kind, minlength=sentences * classes).reshape(sentences, classes)
        for kind, sentence in zip(classes_of, sentences_of)
    ]
    return numpy.stack(counts, axis=1)


def entity_counts(
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
    return counts_by_sentence(
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
    """Return accuracy, and the mean over classes of their F1; a class that is neither there nor predicted does not
    count.

    Args:
        tally: `(..., 3, classes)`.

    Returns:
        `accuracy` and `macro_f1`, each `(...)`.
    """
    hits, _, gold = sums_of(tally)
    return {"accuracy": divided(hits, gold), "macro_f1": macro_f1(tally)}


def entity_scores(tally: NDArray[Any]) -> dict[str, Floats]:
    """Return precision, recall and F1 over all entities, and the mean over types of their F1.

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
    """Return hits, predicted and gold over all classes, each `(...)`."""
    hits, predicted, gold = numpy.moveaxis(tally.sum(-1).astype(numpy.float64), -1, 0)
    return hits, predicted, gold


def macro_f1(tally: NDArray[Any]) -> Floats:
    """Return the mean of the F1 of each class that is there or predicted, `(...)`."""
    hits, predicted, gold = numpy.moveaxis(tally.astype(numpy.float64), -2, 0)  # each (..., classes)
    f1 = divided(2 * hits, predicted + gold)
    return divided(f1.sum(-1), (predicted + gold > 0).sum(-1).astype(numpy.float64))


def divided(above: Floats, below: Floats) -> Floats:
    """Return a quotient, 0 where there is nothing to divide by."""
    return numpy.divide(above, below, out=numpy.zeros_like(above), where=below > 0)


def seqeval_scores(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Score tags of IOB2.

    Args:
        gold: True tags of each sentence.
        predicted: Predicted ones.

    Returns:
        `f1`, `precision` and `recall` over all entities; nothing when seqeval is not installed (extra `eval`), whose
        numbers those of `entity_scores` equal.
    """
    try:
        from seqeval.metrics.v1 import precision_recall_fscore_support
        from seqeval.scheme import IOB2
    except ImportError:
        return {}
    with warnings.catch_warnings():  # 0 stands for what there is nothing to divide by
        warnings.simplefilter("ignore")
        precision, recall, f1, _ = precision_recall_fscore_support(gold, predicted, average="micro", scheme=IOB2)
    return {"f1": float(f1), "precision": float(precision), "recall": float(recall)}


def score_labels(
    gold: Integers,
    predicted: Integers,
    sizes: Integers,
    names: Sequence[str],
    *,
    entities: bool,
    replicates: int,
) -> dict[str, float]:
    """Score labels: entities by F1 (that of seqeval where it is installed), others by accuracy and macro F1.

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
    tally = sentence_counts(gold, predicted, sizes, names, entities=entities)
    results = scored(tally, scores, replicates)
    if entities and replicates:
        results |= seqeval_scores(named(gold, sizes, names), named(predicted, sizes, names))
    return results


def sentence_counts(
    gold: Integers, predicted: Integers, sizes: Integers, names: Sequence[str], *, entities: bool
) -> Integers:
    """Return what is counted in each sentence, `(sentences, 3, classes)`; arguments as of `score_labels`."""
    labelled = gold != UNLABELLED
    sentence = numpy.repeat(numpy.arange(len(sizes)), sizes)
    known = (gold[labelled], predicted[labelled], sentence[labelled], len(sizes))
    return entity_counts(*known, names)[0] if entities else label_counts(*known, len(names))


def named(labels: Integers, sizes: Integers, names: Sequence[str]) -> list[list[str]]:
    """Return the names of labels, `(labels,)`, sentence by sentence; empty where there is none."""
    texts = numpy.array([*names, ""])[numpy.where(labels == UNLABELLED, -1, labels)]
    return [part.tolist() for part in numpy.split(texts, numpy.cumsum(sizes)[:-1])]
