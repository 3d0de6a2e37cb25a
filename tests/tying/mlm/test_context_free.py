"""What can be predicted without a look at context."""

import numpy
import pytest
from test_doubles import built

from semeqv.tying.mlm.doubles import Doubles, context_free_loss


def test_it_is_the_entropy_of_a_token_given_what_stands_in_its_place():
    counts, ordinary = numpy.array([7, 0, 1, 12, 3, 0]), 6
    share = counts / counts.sum()
    joint = numpy.vstack([0.1 * numpy.diag(share) + 0.1 * share / ordinary, 0.8 * share])  # (seen, asked for)
    given = joint / joint.sum(1, keepdims=True)
    there = joint > 0
    assert joint.sum() == pytest.approx(1)
    assert context_free_loss(counts, ordinary) == pytest.approx(-(joint[there] * numpy.log(given[there])).sum())


def test_a_split_says_it_of_its_own_text_with_doubles(text):
    data, tokenizer = built(text, split="validation", swap=0.25)
    said = data.facts()["doubles"]["loss without context"]
    counts = numpy.zeros(len(tokenizer))
    for batch in data.batches():
        labels = batch["labels"][batch["labels"] != -100]
        counts += numpy.bincount(labels.numpy(), minlength=len(counts))
    ordinary = len(tokenizer) - len(tokenizer.all_special_ids)
    assert said == pytest.approx(context_free_loss(counts, ordinary), abs=0.3)  # of the few that are asked for
    assert "loss without context" not in built(text, tokenizer, objective="causal")[0].facts()["doubles"]


def test_occurrences_are_divided_among_words_and_doubles():
    doubles = Doubles(("a", "b"), (0, 2), (3, 4), seed=0)
    assert doubles.divided(numpy.array([8, 5, 4, 0, 0]), 0.25).tolist() == [6, 5, 3, 2, 1]
