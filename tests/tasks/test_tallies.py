"""Scores and their intervals, beside the official scorer and plain formulas."""

import random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as some

from semeqv.results.statistics import intervals
from semeqv.tasks.classification.metrics import (
    entities,
    entity_counts,
    entity_scores,
    label_counts,
    label_scores,
    seqeval_scores,
)

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def flat(sentences):
    return numpy.array([tag for sentence in sentences for tag in sentence], numpy.int64)


def sentence_of(sentences):
    return numpy.repeat(numpy.arange(len(sentences)), [len(sentence) for sentence in sentences])


def tagged(seed, sentences=60):
    chance = random.Random(seed)
    gold = [[chance.randrange(len(TAGS)) for _ in range(chance.randrange(1, 12))] for _ in range(sentences)]
    predicted = [[tag if chance.random() < 0.7 else chance.randrange(len(TAGS)) for tag in line] for line in gold]
    return gold, predicted


@pytest.mark.parametrize("seed", range(5))
def test_entities_are_scored_as_seqeval_does(seed):
    pytest.importorskip("seqeval", reason="it comes with the extra `eval`")
    gold, predicted = tagged(seed)
    tally, types = entity_counts(flat(gold), flat(predicted), sentence_of(gold), len(gold), TAGS)
    ours = entity_scores(tally.sum(0))
    named = [[[TAGS[tag] for tag in line] for line in lines] for lines in (gold, predicted)]
    theirs = seqeval_scores(*named)
    assert types == ["LOC", "PER"]
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, abs=1e-12)
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    assert theirs["f1"] == pytest.approx(f1_score(*named, mode="strict", scheme=IOB2), abs=1e-12)
    macro = f1_score(*named, mode="strict", scheme=IOB2, average="macro")
    assert ours["macro_f1"] == pytest.approx(macro, abs=1e-12)


def naive_entities(lines):
    """First word, last word and type of each entity, word by word."""
    found, place = [], 0
    for line in lines:
        open_type = None
        for tag in [TAGS[number] for number in line]:
            if tag.startswith("B-"):
                open_type = tag[2:]
                found.append([place, place, open_type])
            elif tag.startswith("I-") and tag[2:] == open_type:
                found[-1][1] = place
            else:
                open_type = None
            place += 1
    return [tuple(entity) for entity in found]


@given(some.lists(some.lists(some.integers(0, 4), min_size=1, max_size=7), min_size=1, max_size=5))
def test_entities_are_found_as_one_would_by_hand(lines):
    types = numpy.array([-1, 0, 0, 1, 1])
    begins = numpy.array([False, True, False, True, False])
    tags = flat(lines)
    first, last, kind = entities(begins[tags], types[tags], sentence_of(lines))
    assert list(zip(first, last, [["LOC", "PER"][k] for k in kind])) == naive_entities(lines)


def test_an_entity_does_not_reach_into_the_next_sentence():
    gold, predicted = [[3], [4, 3]], [[3], [4, 3]]
    tally, _ = entity_counts(flat(gold), flat(predicted), sentence_of(gold), 2, TAGS)
    assert tally[:, :, 1].tolist() == [[1, 1, 1], [1, 1, 1]]


def test_accuracy_and_macro_f1_are_what_their_formulas_say():
    generator = numpy.random.default_rng(0)
    gold, predicted = generator.integers(4, size=(2, 200))
    gold[gold == 3] = 0  # a class that is predicted, but never true; and one that is neither
    tally = label_counts(gold, predicted, numpy.arange(200) // 10, 20, 5)
    scores = label_scores(tally.sum(0))
    assert scores["accuracy"] == pytest.approx((gold == predicted).mean())
    f1 = []
    for kind in range(4):
        hits = ((gold == kind) & (predicted == kind)).sum()
        precision, recall = hits / max((predicted == kind).sum(), 1), hits / max((gold == kind).sum(), 1)
        f1.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    assert scores["macro_f1"] == pytest.approx(numpy.mean(f1))


def test_where_there_is_nothing_scores_are_zero():
    nothing = numpy.zeros((3, 2))
    assert set(map(float, (label_scores(nothing) | entity_scores(nothing)).values())) == {0.0}


def test_intervals_are_repeatable_and_like_those_of_a_loop():
    gold, predicted = tagged(1, 80)
    tally, _ = entity_counts(flat(gold), flat(predicted), sentence_of(gold), 80, TAGS)
    found = intervals(tally, entity_scores, 1000, seed=3)
    assert found == intervals(tally, entity_scores, 1000, seed=3)
    assert found != intervals(tally, entity_scores, 1000, seed=4)
    generator, drawn = numpy.random.default_rng(3), []
    for _ in range(1000):
        drawn.append(float(entity_scores(tally[generator.integers(80, size=80)].sum(0))["f1"]))
    assert found["f1"] == pytest.approx(tuple(numpy.quantile(drawn, [0.025, 0.975])), abs=1e-12)
    point = float(entity_scores(tally.sum(0))["f1"])
    assert found["f1"][0] < point < found["f1"][1]


def test_samples_that_do_not_fit_at_once_are_the_same(monkeypatch):
    tally = label_counts(*numpy.random.default_rng(0).integers(3, size=(2, 90)), numpy.arange(90) // 3, 30, 3)
    whole = intervals(tally, label_scores, 50)
    monkeypatch.setattr("semeqv.results.statistics.AT_ONCE", 100)
    assert intervals(tally, label_scores, 50) == whole
