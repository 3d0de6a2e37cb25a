"""What measures of senses compute, against formulas written down apart."""

import itertools
import math
from collections import Counter

import numpy
import pytest
import torch
from scipy.stats import spearmanr

from backpack.evaluation.babel import AmbiguousWord, topics_of, translations
from backpack.evaluation.coverage import Nouns, TopicScores, predictions, topic_scores
from backpack.evaluation.invariance import index_alignment
from backpack.evaluation.lexicon_induction import chance, gold_of, places_among, ranks
from backpack.evaluation.sense_clustering import Occurrences, against_chance, clustered_words, two_means, v_measure
from backpack.evaluation.similarity import cosines, spearman
from backpack.inspection.words import embedded, word_vectors
from semeqv.babel.grammar import Grammar
from tests.backpack.small_backpacks import make


def conditional_entropy(of, given):
    pairs, each = Counter(zip(of, given)), Counter(given)
    return -sum(count / len(of) * math.log(count / each[b]) for (_, b), count in pairs.items())


def test_the_v_measure_is_that_of_its_definition():
    generator = numpy.random.default_rng(0)
    for _ in range(20):
        truth, clusters = generator.integers(2, size=(2, 15))
        of_truth, of_clusters = (conditional_entropy(each.tolist(), [0] * 15) for each in (truth, clusters))
        homogeneity = 1 - conditional_entropy(truth.tolist(), clusters.tolist()) / of_truth if of_truth else 1
        completeness = 1 - conditional_entropy(clusters.tolist(), truth.tolist()) / of_clusters if of_clusters else 1
        total = homogeneity + completeness
        expected = 2 * homogeneity * completeness / total if total > 1e-12 else 0
        assert v_measure(truth, clusters) == pytest.approx(expected, abs=1e-9)
    assert v_measure(numpy.array([0, 0, 1, 1]), numpy.array([1, 1, 0, 0])) == pytest.approx(1)
    assert v_measure(numpy.array([0, 1, 0, 1]), numpy.zeros(4, int)) == 0


def test_two_heaps_are_found_and_chance_is_taken_off():
    generator = numpy.random.default_rng(0)
    truth = generator.integers(2, size=60)
    points = generator.normal(size=(60, 5)) + 8 * truth[:, None]
    v, dealt = against_chance(truth, two_means(points, generator), 50, generator)
    assert v == pytest.approx(1)
    assert 0 < dealt < 0.1
    noise = [against_chance(truth, generator.integers(2, size=60), 50, generator) for _ in range(40)]
    assert numpy.mean([one - other for one, other in noise]) == pytest.approx(0, abs=0.01)
    assert not two_means(numpy.ones((5, 3)), generator).any()


def test_homonyms_that_end_alike_are_clustered_each_by_itself():
    generator, words, truth = numpy.random.default_rng(0), ["bank", "river"] * 20, numpy.arange(40) // 2 % 2
    zeros = numpy.zeros(40, numpy.int64)
    found = Occurrences(["x"], words, zeros, zeros, truth, truth)
    points = generator.normal(size=(40, 3)).astype(numpy.float32) + 9 * (truth ^ (numpy.arange(40) % 2))[:, None]
    options = {"least": 5, "each_sense": 2, "shuffles": 5, "seed": 1}
    for tokens, count in ((zeros, 20), (zeros + numpy.repeat([0, 1], 20), 10)):
        parts = [each for each in clustered_words(found, tokens, {"word": points}, **options) if each.by == "word"]
        assert [each.count for each in parts] == [count] * (40 // count)
        assert [each.v for each in parts] == pytest.approx([1] * (40 // count))


def test_planted_senses_are_covered():
    topics = torch.eye(3, dtype=torch.bool).repeat_interleave(4, 0)  # twelve nouns of three topics
    nouns = Nouns([f"n{i}" for i in range(12)], torch.arange(12), topics)
    words = [
        AmbiguousWord("lume", "n0", (0, 1)),
        AmbiguousWord("lume", "n4", (1, 2)),
        AmbiguousWord("lume", "x", (0, 2)),
    ]
    senses = torch.zeros(3, 2, 3)
    senses[0] = torch.tensor([[1.0, 0, 0], [0, 3.0, 0]])  # each topic by a sense of its own
    senses[1] = torch.tensor([[0, 1.0, 0.9], [0, 0, 0]])  # both by one
    senses[2] = torch.tensor([[1.0, 0, 0], [1.0, 0, 0]])  # one of the two
    output = topics.float() + 0.01 * torch.rand(12, 3, generator=torch.Generator().manual_seed(0))
    scores = predictions(senses, output, nouns, torch.zeros(2, 3))
    assert torch.allclose(scores[0, 1], 3 * output[:, 1])
    found = topic_scores(scores, words, nouns, top=8, share=0.35)
    assert found.favours[0].tolist() == [[True, False], [False, True]] or found.favours[0].any(0).all()
    both, distinct = (found + found).covered()
    assert both.tolist()[:2] == [True, True]
    assert distinct.tolist()[:2] == [True, False]
    assert topic_scores(scores, words, nouns, top=3, share=1.0).favours[2].tolist() == [[True, False], [True, False]]
    one = TopicScores(numpy.ones((1, 2, 2), bool), numpy.array([[[2.0, 1.0], [1.0, 0.5]]]))
    assert [each.tolist() for each in one.covered()] == [[True], [False]]


def test_the_truth_of_the_grammar():
    grammar, generator = Grammar(), numpy.random.default_rng(0)
    topics = topics_of(grammar, ("lume", "drask"), generator)
    lexicon = grammar.lexicon
    for word in topics.homonyms:
        senses = lexicon.senses[word.language][word.form]
        assert tuple(lexicon.concepts[sense].topic for sense in senses) == word.topics
        assert topics.members[word.language][word.form] == set(word.topics)
    for word in topics.unambiguous:
        (sense,) = lexicon.senses[word.language][word.form]
        assert lexicon.concepts[sense].topic == word.topics[0] != word.topics[1]
    assert len(topics.homonyms) == 120
    pairs = translations(grammar)
    assert len({one for one, _ in pairs}) == len(pairs) > 100


def test_planted_translations_are_alike_by_index():
    generator, torch_generator = numpy.random.default_rng(0), torch.Generator().manual_seed(0)
    left = torch.randn(30, 4, 16, generator=torch_generator)
    right = left + 0.5 * torch.randn(30, 4, 16, generator=torch_generator)
    found = index_alignment(left, right, 99, generator)
    unit = [each / each.norm(dim=-1, keepdim=True) for each in (left, right)]
    same = [(unit[0][p, i] @ unit[1][p, i]).item() for p in range(30) for i in range(4)]
    other = [(unit[0][p, i] @ unit[1][p, j]).item() for p in range(30) for i, j in itertools.permutations(range(4), 2)]
    strangers = [
        (unit[0][p, i] @ unit[1][q, i]).item() for p, q in itertools.permutations(range(30), 2) for i in range(4)
    ]
    assert found.same == pytest.approx(numpy.mean(same), abs=1e-5)
    assert found.other == pytest.approx(numpy.mean(other), abs=1e-5)
    assert found.non_translations == pytest.approx(numpy.mean(strangers), abs=1e-5)
    assert found.by_index.mean() == pytest.approx(found.same)
    assert (found.p_index, found.p_partner) == (0.01, 0.01)
    stranger = index_alignment(left, torch.randn(30, 4, 16, generator=torch_generator), 99, generator)
    assert min(stranger.p_index, stranger.p_partner) > 0.02


def test_rank_correlations_are_those_of_scipy():
    generator = numpy.random.default_rng(0)
    scores = generator.normal(size=80).round(1)
    values = scores + generator.normal(size=80)
    found = spearman(values, scores, 500, generator)
    assert found.mean == pytest.approx(spearmanr(values, scores).statistic)
    assert found.low < found.mean < found.high
    drawn = [generator.integers(80, size=80) for _ in range(500)]
    expected = numpy.quantile([spearmanr(values[each], scores[each]).statistic for each in drawn], [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.05)
    assert math.isnan(spearman(numpy.ones(80), scores, 10, generator).mean)
    first, second = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0))
    found = cosines(first, second, senses=True)
    assert list(found) == ["0", "1", "2", "min", "max"]
    expected = (first[2, 1] @ second[2, 1] / first[2, 1].norm() / second[2, 1].norm()).item()
    assert found["1"][2] == pytest.approx(expected, abs=1e-6)
    assert found["min"][2] == min(found[str(index)][2] for index in range(3))


def test_ranks_of_translations():
    sources, targets, gold = gold_of([("a", "x"), ("b", "y"), ("a", "z"), ("c", "x")])
    assert (sources, targets, gold) == (["a", "b", "c"], ["x", "y", "z"], [[0, 2], [1], [0]])
    vectors, none = torch.tensor([[1.0, 0], [0, 1], [0.6, 0.8]])[:, None], [[], [], []]
    three, alike = torch.tensor([[1.0, 0.1], [1, 0], [0, 1]])[:, None], torch.ones(3, 1, 2)
    assert ranks(three, vectors, gold, none).tolist() == [1, 3, 3]
    assert ranks(alike, alike, gold, none).tolist() == [2, 3, 3]  # the last place
    drawn = [set(each) for each in itertools.combinations(range(3), 2)]
    expected = numpy.mean([numpy.mean([bool(each & set(right)) for each in drawn]) for right in gold])
    assert chance(gold, none, 3, 2) == pytest.approx(expected)


def test_what_is_right_but_left_out_is_no_candidate():
    excluded = places_among(["a", "b", "c"], ["x", "y", "z"], [("b", "z"), ("b", "elsewhere"), ("d", "x")])
    assert excluded == [[], [2], []]
    vectors, sources = torch.tensor([[1.0, 0], [0, 1], [0.6, 0.8]])[:, None], torch.tensor([[0.6, 0.8]] * 3)[:, None]
    assert ranks(sources, vectors, [[0], [1], [1]], excluded).tolist() == [3, 1, 2]
    assert chance([[0], [1], [1]], excluded, 3, 2) == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)


def test_words_of_several_tokens():
    model = make()
    spelled = [[5], [7, 9, 7], [5, 11]]
    averaged = word_vectors(model, spelled)
    table = model.sense_table()
    assert averaged.shape == (3, 4, 16)
    assert torch.allclose(averaged[0], table[5], atol=1e-6)
    assert torch.allclose(averaged[1], (2 * table[7] + table[9]) / 3, atol=1e-6)
    composed = word_vectors(model, spelled, "composed")
    assert torch.allclose(composed[0], table[5], atol=1e-6)
    whole = model.backpack(torch.tensor([[7, 9, 7]])).last_hidden_state[0, -1]
    assert torch.allclose(composed[1].sum(0), whole, atol=1e-5)
    assert torch.allclose(embedded(model, spelled)[2, 0], model.get_input_embeddings().weight[[5, 11]].mean(0))
