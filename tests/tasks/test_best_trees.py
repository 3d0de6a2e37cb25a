"""The best tree of a sentence, against all trees there are."""

import itertools

import numpy
import pytest

from semeqv.tasks.parsing.trees import best_tree, cycle


def is_tree(heads):
    if heads.count(0) != 1:
        return False
    for word in range(1, len(heads) + 1):
        steps = 0
        while word and steps <= len(heads):
            word, steps = heads[word - 1], steps + 1  # noqa: PLW2901
        if word:
            return False
    return True


TREES = {n: [heads for heads in itertools.product(range(n + 1), repeat=n) if is_tree(heads)] for n in range(1, 6)}


def total(scores, heads):
    return sum(scores[word, head] for word, head in enumerate(heads))


def test_there_are_as_many_trees_as_cayley_says():
    assert {n: len(trees) for n, trees in TREES.items()} == {n: n ** (n - 1) for n in range(1, 6)}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["real", "whole", "rooted"])
def test_no_tree_is_better(size, kind):
    """Whole numbers are often equal; a root that all words like best must still have one of them."""
    generator = numpy.random.default_rng(size)
    for _ in range(100):
        scores = generator.normal(size=(size, size + 1))
        if kind == "whole":
            scores = numpy.round(scores)
        if kind == "rooted":
            scores[:, 0] += 20
        found = tuple(best_tree(scores).tolist())
        assert found in TREES[size]
        assert total(scores, found) == pytest.approx(max(total(scores, heads) for heads in TREES[size]), abs=1e-9)
        assert tuple(best_tree(scores.copy()).tolist()) == found


def test_the_likeliest_heads_alone_make_no_tree():
    scores = numpy.array([[1.0, 0, 5, 0], [1, 5, 0, 0], [9, 0, 1, 0]])
    greedy = tuple((scores - 100 * numpy.eye(3, 4, 1)).argmax(1).tolist())
    assert greedy == (2, 1, 0)
    assert not is_tree(greedy)
    assert is_tree(tuple(best_tree(scores).tolist()))


def test_of_equal_scores_the_lower_number_is_taken():
    assert best_tree(numpy.zeros((1, 2))).tolist() == [0]
    assert best_tree(numpy.zeros((2, 3))).tolist() == [0, 1]
    scores = numpy.zeros((3, 4))
    scores[1, 0] = 1
    assert best_tree(scores).tolist() == [2, 0, 1]


def test_long_sentences_and_large_scores_lose_nothing():
    generator = numpy.random.default_rng(0)
    scores = 1e4 * generator.normal(size=(200, 201))
    heads = best_tree(scores)
    assert is_tree(tuple(heads.tolist()))
    best = numpy.where(numpy.eye(200, 201, 1, dtype=bool), -numpy.inf, scores)
    assert total(scores, heads) <= best.max(1).sum()
    assert total(scores, heads) > best.max(1).sum() * 0.95


def test_a_cycle_is_found_wherever_it_is():
    assert cycle(numpy.array([0, 0, 1, 2])) is None
    assert cycle(numpy.array([0, 0, 3, 2])).tolist() == [2, 3]
    assert cycle(numpy.array([0, 2, 3, 4, 2])).tolist() == [2, 3, 4]
