"""Words and their doubles: which they are, how often they are swapped, what is asked of them."""

import numpy
import pytest
import torch
from transformers import AutoTokenizer

from semeqv.runs.errors import UserError
from semeqv.text.datasets import monolingual
from semeqv.text.models.architectures import Encoder
from semeqv.text.objectives import Causal, Masked
from semeqv.text.tokenizers.trained import Bpe, Unigram, Wordpiece
from semeqv.tying.mlm.datasets import Babel, Hub, Plain
from semeqv.tying.mlm.doubles import Doubles, Swapped, common_words, doubles_in, undoubled, with_doubles

KINDS = [Wordpiece, Bpe]


def corpus_of(path, **options):
    return Plain(**{"path": path, "doubles": 2, "batch_size": 8, "block_size": 16, "holdout": 0.2} | options)


def tokenizer_of(corpus, kind=Wordpiece):
    return kind(vocab_size=290).build({("train", None): corpus})


def built(path, tokenizer=None, kind=Wordpiece, **options):
    corpus = corpus_of(path, **options)
    tokenizer = tokenizer or tokenizer_of(corpus, kind)
    return corpus.build(tokenizer, Encoder(), {("train", None): corpus_of(path)}), tokenizer


@pytest.mark.parametrize("kind", KINDS)
def test_the_most_frequent_whole_words_get_doubles_after_all_other_tokens(text, kind):
    corpus = corpus_of(text)
    before = len(tokenizer_of(corpus, kind))
    data, tokenizer = built(text, kind=kind)
    assert data.followed.words == ("house", "tree")  # not `a`, which is one letter
    assert data.followed.double_ids == (before, before + 1)
    assert len(tokenizer) == before + 2
    assert data.facts()["doubles"]["words"] == "house tree"


def test_words_of_a_unigram_tokenizer_are_those_of_a_wordpiece_one():
    corpus = Babel(documents=60, doubles=5)
    built = [corpus.build(kind(vocab_size=400).build({("train", None): corpus})) for kind in (Unigram, Wordpiece)]
    assert built[0].followed.words[:3] == built[1].followed.words[:3]


@pytest.mark.parametrize("kind", KINDS)
def test_doubles_are_ordinary_tokens_that_checkpoints_keep(text, kind, tmp_path):
    data, tokenizer = built(text, kind=kind)
    assert not set(data.followed.ids) & set(tokenizer.all_special_ids)
    tokenizer.save_pretrained(tmp_path / "kept")
    again = AutoTokenizer.from_pretrained(tmp_path / "kept")
    assert len(again) == len(tokenizer)
    assert doubles_in(again) == list(data.followed.word_ids)
    assert built(text, again)[0].followed == data.followed
    assert len(again) == len(tokenizer)


def test_the_text_itself_never_holds_a_double(tmp_path):
    lines = [f"house house′ house tree tree {i}" for i in range(60)]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    data, tokenizer = built(tmp_path / "text.txt", swap=0.0)
    for batch in data.batches():
        assert not numpy.isin(batch["input_ids"], data.followed.double_ids).any()
    plain = undoubled(tokenizer)
    assert plain.get_vocab() == undoubled(plain).get_vocab()
    assert len(plain) == len(tokenizer) - 2


def test_only_whole_words_count(text):
    corpus = corpus_of(text)
    tokenizer = tokenizer_of(corpus)
    number = dict(zip(("house", "tree", "##house"), tokenizer.convert_tokens_to_ids(["house", "tree", "##h"])))
    alone = numpy.array([number["house"], number["tree"]])
    inside = numpy.array([number["tree"], number["##house"]] * 5)
    assert common_words([alone, alone[:1], inside], tokenizer, 2) == [number["house"], number["tree"]]


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 1.0])
def test_occurrences_are_swapped_with_the_probability_that_is_said(probability):
    doubles = Doubles(("a", "b"), (3, 4), (10, 11), seed=0)
    ids = numpy.random.default_rng(0).integers(10, size=(400, 50))
    inputs, labels = Swapped(Causal(), doubles, probability, 12)(ids, ids >= 0, numpy.random.default_rng(1))
    for word, double in ((3, 10), (4, 11)):
        share = (inputs[ids == word] == double).mean()
        assert share == pytest.approx(probability, abs=4 * (probability * (1 - probability) / 1900) ** 0.5)
        assert numpy.isin(inputs[ids == word], [word, double]).all()
    assert (inputs[~numpy.isin(ids, [3, 4])] == ids[~numpy.isin(ids, [3, 4])]).all()
    assert (labels[:, 1:] == inputs[:, 1:]).all()


def test_masked_labels_are_those_of_the_doubles():
    doubles = Doubles(("a",), (3,), (10,), seed=0)
    ids = numpy.full((200, 20), 3)
    objective = Swapped(Masked(0.15, mask=1, special=[0, 1], vocabulary=11), doubles, 0.5, 11)
    inputs, labels = objective(ids, ids > 0, numpy.random.default_rng(0))
    asked = labels != -100
    assert set(labels[asked]) == {3, 10}
    assert asked.mean() == pytest.approx(0.15, abs=0.03)
    assert (labels[asked] == 10).mean() == pytest.approx(0.5, abs=0.08)
    assert set(inputs[~asked]) == {3, 10}
    assert {1, 10} <= set(inputs[asked])  # a double may stay, or replace another token


def test_swaps_are_a_function_of_seed_and_step_and_fixed_in_validation(text):
    data, tokenizer = built(text)
    stream = data.stream(7)
    batches = [next(stream) for _ in range(12)]
    assert torch.equal(next(data.stream(7, start=9))["input_ids"], batches[9]["input_ids"])
    assert not torch.equal(next(data.stream(8, start=9))["input_ids"], batches[9]["input_ids"])
    valid, _ = built(text, tokenizer, split="validation")
    first, second = (list(valid.batches()) for _ in range(2))
    assert all(torch.equal(a[name], b[name]) for a, b in zip(first, second) for name in a)
    held = torch.cat([batch["input_ids"].flatten() for batch in first])
    assert set(data.followed.ids) <= set(held.tolist())


def test_pairs_compare_each_word_with_its_double_and_with_another_word():
    doubles = Doubles(tuple("abcde"), tuple(range(5)), tuple(range(5, 10)), seed=14)
    pairs = doubles.pairs()
    assert pairs["doubles"] == [(i, i + 5) for i in range(5)]
    assert pairs["neighbours"] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    firsts, seconds = zip(*pairs["random"])
    assert sorted(firsts) == sorted(seconds) == list(range(5))
    assert all(a != b for a, b in pairs["random"])
    assert pairs == Doubles(tuple("abcde"), tuple(range(5)), tuple(range(5, 10)), seed=14).pairs()
    assert doubles.names[5] == "a′"


def test_the_tokenizer_and_its_cache_are_those_of_the_corpus_itself(text):
    ours, plain = corpus_of(text), monolingual.Plain(path=text, batch_size=8, block_size=16, holdout=0.2)
    assert ours.undoubled() == plain
    assert ours.source_facts() == plain.source_facts()
    assert list(ours.corpus()) == list(plain.corpus())
    assert (Babel().documents, Babel().languages) == (20_000, ("lume",))


def test_what_cannot_be_is_said(text):
    with pytest.raises(ValueError, match="--doubles must be at least 2, not 1"):
        Plain(path=text, doubles=1)
    with pytest.raises(ValueError, match="--swap must be at least 0 and at most 1"):
        Hub(of="bookcorpus", swap=1.5)
    with pytest.raises(ValueError, match="translation has no doubles"):
        Babel(objective="translation")
    with pytest.raises(UserError, match=r"Only \d tokens are words of the training text; lower --doubles 90"):
        built(text, doubles=90)
    corpus = corpus_of(text, split="validation")
    with pytest.raises(UserError, match="Add: cli mlm dataset"):
        corpus.build(tokenizer_of(corpus_of(text)), Encoder(), {})
    tokenizer = tokenizer_of(corpus_of(text))
    with_doubles(tokenizer, [20, 21, 22], seed=0)
    with pytest.raises(UserError, match="has 3 doubles; say --doubles 3"):
        built(text, tokenizer)
