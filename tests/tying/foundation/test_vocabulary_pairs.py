"""Which tokens are taken for equivalent, and which random ones for like them."""

import numpy
import planted
import pytest

from semeqv.runs.errors import UserError
from semeqv.tying.foundation.pairs import Form, equivalents, forms_of, inflected, same_word, with_random


@pytest.mark.parametrize(
    ("mark", "whole", "inside"),
    [("Ġ", "Ġbalk", "balk"), ("▁", "▁balk", "balk"), ("##", "balk", "##balk"), ("</w>", "balk</w>", "balk")],
)
def test_every_convention_tells_whole_words(mark, whole, inside):
    tokens = planted.vocabulary(mark)
    forms, convention = forms_of(planted.tokenizer(mark), len(tokens), shortest=3)
    assert convention.mark == mark
    assert forms[Form("balk", True)] == tokens[whole]
    assert forms[Form("balk", False)] == tokens[inside]
    assert len(forms) == len(tokens) - 1
    assert len(forms_of(planted.tokenizer(mark), len(tokens), shortest=5)[0]) < len(forms)


def test_rows_that_the_matrix_lacks_are_left_out():
    forms, _ = forms_of(planted.tokenizer(), 100, shortest=3)
    assert max(forms.values()) == 99
    with pytest.raises(UserError, match="has only 4 tokens of 3 letters or more"):
        forms_of(planted.tokenizer(), 5, shortest=3)


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("dog", ["dogs", "doged dogged", "doging dogging"]),
        ("open", ["opens", "opened openned", "opening openning"]),
        ("rain", ["rains", "rained", "raining"]),
        ("box", ["boxes", "boxed", "boxing"]),
        ("watch", ["watches", "watched", "watching"]),
        ("try", ["tries", "tried", "trying"]),
        ("play", ["plays", "played", "playing"]),
        ("love", ["loves", "loved", "loving"]),
        ("agree", ["agrees", "agreed", ""]),
    ],
)
def test_english_spelling(word, forms):
    assert [" ".join(inflected(word, suffix)) for suffix in ("s", "ed", "ing")] == forms


def found(mark="Ġ"):
    forms, convention = forms_of(planted.tokenizer(mark), 10_000, shortest=3)
    return forms, list(equivalents(forms, convention.variant))


def test_all_equivalents_are_found_and_no_others():
    _, triples = found()
    counts = {kind: sum(each[0] == kind for each in triples) for kind, _, _ in triples}
    words = len(planted.STEMS)
    assert counts == {"case": 4 * words, "leading space": 6 * words, "-s": words, "-ed": words, "-ing": words}
    for kind, first, second in triples:
        assert first != second
        assert same_word(first, second) == (kind in ("case", "leading space"))


def test_random_tokens_are_alike_near_and_no_equivalents():
    forms, triples = found()
    pairs = with_random(forms, iter(triples), 20, numpy.random.default_rng(0))
    assert len(pairs) == len(triples)
    for pair in pairs:
        assert pair.random.shape == pair.second.shape
        assert not same_word(pair.random, pair.first)
        assert pair.random != pair.second
        assert (pair.kind, pair.first, pair.random) not in triples
    alike = sorted(number for form, number in forms.items() if form.shape == pairs[0].second.shape)
    steps = [abs(alike.index(forms[p.random]) - alike.index(forms[p.second])) for p in pairs
             if p.second.shape == pairs[0].second.shape]  # fmt: skip
    assert max(steps) <= 20


def test_the_seed_decides():
    forms, triples = found()
    draws = [with_random(forms, iter(triples), 20, numpy.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
