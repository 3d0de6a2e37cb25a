"""The parts that methods are made of, beside naive formulas."""

import copy
import itertools

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tiny import published_variants, tokens_of_text
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordLevel
from transformers import PreTrainedTokenizerFast

from ofa.extended_tokenizer import FIRST, spell
from ofa.factorisation import factorise
from ofa.mapping import capitalised, map_subwords
from ofa.methods.baselines import subwords_of
from ofa.methods.focus import combine_shared, sparsemax
from ofa.methods.omp import pursue
from ofa.methods.wechsel import read_dictionary, rotate
from ofa.plan import InitContext, Kind, RowSources
from ofa.topk_search import nearest
from ofa.vectors.make import tokens_by
from ofa.vectors.word_vectors import WordVectors, unit
from ofa.vocabulary import Vocabulary, shared
from semeqv.runs.errors import UserError


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_text_that_looks_like_a_special_token_is_cut_as_text(tokenizers, kind):
    tokenizer = tokenizers[kind, "drask"]
    special = set(tokenizer.all_special_tokens) - {tokenizer.unk_token}
    text = "gåk </s> [MASK]<mask>[SEP] dod"
    plain = tokens_by(tokenizer)("drask", "gåk dod")
    found = tokens_by(tokenizer)("drask", text)
    assert plain < found
    assert not special & found
    vocabulary = Vocabulary(tokenizer, len(tokenizer))
    for ids in subwords_of(["</s>", "[SEP]", "<mask>", "[MASK]"], vocabulary):
        assert not special & set(tokenizer.convert_ids_to_tokens(ids))
    if kind == "bpe":
        names = {number: token for token, number in tokenizer.get_vocab().items()}
        (line,) = spell(tokenizer, names, [[text]])
        said = [names[ord(character) - FIRST] for character in line if character != " "]
        assert tokenizer.convert_tokens_to_string(said) == text  # nothing stood alone, as special tokens do


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_words_of_subwords_are_those_of_one_call_for_each_word(tokenizers, kind):
    tokenizer = tokenizers[kind, "drask"]
    words = ["gåk", "dråkesh", "krøgagesh", "gåk-dod", "x", "Tides", "kRØGagesh", " gåk ", "$", "</s>", "[MASK]"]
    mapping = map_subwords(tokenizer, words, len(tokenizer))
    naive = {}
    for place, word in enumerate(words):
        for variant in published_variants(word):
            for subword in set(tokens_of_text(tokenizer, variant)):
                naive.setdefault(subword, []).append(place)
    for special in tokenizer.all_special_ids:
        naive.pop(special, None)
    found = {i: mapping.words_of(i).tolist() for i in range(len(tokenizer)) if mapping.degree[i]}
    assert found == {subword: sorted(places) for subword, places in naive.items()}
    matrix = numpy.random.default_rng(0).normal(size=(len(words), 5)).astype(numpy.float32)
    means = mapping.vectors(matrix)
    for subword, places in naive.items():
        numpy.testing.assert_allclose(means[subword], matrix[sorted(places)].mean(0), rtol=1e-5, atol=1e-6)
    assert not means[mapping.degree == 0].any()


def test_a_capital_is_the_first_letter_alone():
    assert [capitalised(word) for word in ("mcDonald", "éTÉ", "1st", "ß", "$")] == [
        " McDonald",
        " ÉTÉ",
        " 1st",
        " SS",
        " $",
    ]
    assert [capitalised(word) for word in (" chien ", " chien chaud", " ")] == ["Chien ", "Chien chaud", "  "]


def test_special_tokens_in_words_are_text(tokenizers):
    tokenizer = tokenizers["bpe", "drask"]
    mapping = map_subwords(tokenizer, ["</s>", "<mask>"], 400)
    spelled = set(tokens_of_text(tokenizer, "</s>") + tokens_of_text(tokenizer, "<mask>"))
    assert len(spelled) > 2
    assert not spelled & set(tokenizer.all_special_ids)
    assert spelled <= set(numpy.flatnonzero(mapping.degree).tolist())
    assert tokenizer.convert_tokens_to_ids("<mask>") in tokenizer("<mask>")["input_ids"]  # outside as before


def test_texts_are_neither_cut_nor_padded(tokenizers):
    tokenizer = copy.deepcopy(tokenizers["bpe", "drask"])
    words = ["gåkdråkeshkrøgagesh", "x"]
    plain = map_subwords(tokenizer, words, 400), subwords_of(words, Vocabulary(tokenizer, 400))
    tokenizer.backend_tokenizer.enable_truncation(2)
    tokenizer.backend_tokenizer.enable_padding(length=5, pad_id=3, pad_token="<pad>")
    again = map_subwords(tokenizer, words, 400), subwords_of(words, Vocabulary(tokenizer, 400))
    assert (plain[0].words.tolist(), plain[1]) == (again[0].words.tolist(), again[1])
    assert tokenizer.backend_tokenizer.truncation["max_length"] == 2
    assert tokenizer.backend_tokenizer.padding["length"] == 5


def test_factors_are_those_of_the_singular_value_decomposition():
    embedding = torch.randn(60, 12, generator=torch.Generator().manual_seed(0)) @ torch.diag(torch.linspace(3, 0.1, 12))
    left, singular, right = torch.linalg.svd(embedding, full_matrices=False)
    factors = factorise(embedding, 5)
    torch.testing.assert_close(factors.dense(), (left[:, :5] * singular[:5]) @ right[:5], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(factors.coordinates.abs(), left[:, :5].abs(), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(factorise(embedding, 12).dense(), embedding, rtol=1e-4, atol=1e-5)
    assert factors.kept_share == pytest.approx(float((singular[:5] ** 2).sum() / (singular**2).sum()), rel=1e-5)


@given(st.data(), st.integers(0, 40), st.integers(1, 5), st.integers(1, 12))
def test_the_nearest_are_in_order_and_the_first_of_equal_ones(data, candidates, queries, k):
    small = st.integers(-2, 2).map(float)
    left = data.draw(arrays.arrays(numpy.float32, (queries, 2), elements=small))
    right = data.draw(arrays.arrays(numpy.float32, (candidates, 2), elements=small))
    values, places = nearest(left, right, k)
    similar = left @ right.T
    for row in range(queries):
        expected = sorted(range(candidates), key=lambda i: (-similar[row, i], i))[:k]
        assert places[row].tolist() == expected
        assert values[row].tolist() == similar[row, expected].tolist()


@pytest.mark.parametrize("rough", [True, False], ids=["bfloat16", "float32"])
@pytest.mark.parametrize("spread", [1.0, 0.01], ids=["apart", "close"])
def test_rough_similarities_leave_no_neighbour_out(monkeypatch, rough, spread):
    monkeypatch.setattr("ofa.topk_search.has_bfloat16", lambda device: rough)
    draw = numpy.random.default_rng(0)
    candidates = unit((1 + spread * draw.normal(size=(4500, 24))).astype(numpy.float32))
    candidates[4000:] = candidates[:500]  # each the equal of another
    queries = unit((1 + spread * draw.normal(size=(20, 24))).astype(numpy.float32))
    similar = (queries[:, None] * candidates).sum(2)
    values, places = nearest(queries, candidates, 10)
    for row, each in enumerate(similar):
        found = places[row].tolist()
        assert len(set(found)) == 10
        numpy.testing.assert_allclose(each[found], numpy.sort(each)[::-1][:10], rtol=0, atol=1e-6)
        numpy.testing.assert_allclose(values[row], each[found], rtol=0, atol=1e-6)
        twins = [(one, other) for one, other in itertools.pairwise(found) if one % 4000 == other % 4000]
        assert all(one < other for one, other in twins)


@given(arrays.arrays(numpy.float64, (3, 6), elements=st.floats(-3, 3)))
def test_sparsemax_is_the_nearest_point_of_the_simplex(scores):
    found = sparsemax(torch.from_numpy(scores)).numpy()
    numpy.testing.assert_allclose(found.sum(1), 1, atol=1e-9)
    assert (found >= 0).all()
    for z, p in zip(scores, found):  # optimal: what is above the threshold keeps its distance from it
        threshold = (z - p)[p > 0]
        numpy.testing.assert_allclose(threshold, threshold[0], atol=1e-9)
        assert (z[p == 0] <= threshold[0] + 1e-9).all()


def test_pursuit_finds_sparse_sums_and_agrees_with_one_at_a_time():
    generator = torch.Generator().manual_seed(0)
    atoms = torch.randn(30, 20, generator=generator)
    weights = torch.zeros(4, 30)
    for row in range(4):
        weights[row, torch.randperm(30, generator=generator)[:2]] = torch.tensor([1.0, -2.0])
    chosen, found = pursue(weights @ atoms, atoms, 2)
    torch.testing.assert_close(torch.zeros(4, 30).scatter(1, chosen, found), weights, rtol=1e-4, atol=1e-5)
    wanted = torch.randn(3, 20, generator=generator)
    chosen, found = pursue(wanted, atoms, 4)
    for row in range(3):
        support, left = [], wanted[row].double()
        for _ in range(4):
            support.append(int((atoms.double() @ left / atoms.double().norm(dim=1)).abs().argmax()))
            basis = atoms[support].double().T
            solution = torch.linalg.lstsq(basis, wanted[row].double()).solution
            left = wanted[row].double() - basis @ solution
        assert chosen[row].tolist() == support
        torch.testing.assert_close(found[row].double(), solution, rtol=1e-4, atol=1e-5)


def test_a_rotation_is_found_again(tmp_path):
    generator = numpy.random.default_rng(0)
    rotation, _ = numpy.linalg.qr(generator.normal(size=(6, 6)))
    old = WordVectors([f"old{i}" for i in range(40)], unit(generator.normal(size=(40, 6)).astype(numpy.float32)))
    new = WordVectors([f"New{i}" for i in range(40)], (old.matrix @ rotation.T).astype(numpy.float32))
    (tmp_path / "pairs.tsv").write_text("".join(f"old{i}\tNew{i}\n" for i in range(30)) + "\nabsent absent\n")
    back, used = rotate(new, old, read_dictionary(tmp_path / "pairs.tsv"))
    assert used == 30
    numpy.testing.assert_allclose(back.matrix, old.matrix, atol=1e-5)
    with pytest.raises(UserError, match="Only 0 of the 30 pairs"):
        rotate(new, old, [(new, old) for old, new in zip(old.words[:30], new.words)])
    (tmp_path / "phrases.tsv").write_text("New York\tNueva York\t0.9\n")
    assert read_dictionary(tmp_path / "phrases.tsv") == [("New York", "Nueva York")]
    for line in ("lonely", "New York Nueva York", "three of them"):
        (tmp_path / "bad.tsv").write_text(f"a b\n{line}\n")
        with pytest.raises(UserError, match="line 2"):
            read_dictionary(tmp_path / "bad.tsv")


def test_a_vector_of_zeros_is_like_no_token(tokenizers):
    first, second = (
        Vocabulary(tokenizers["bpe", language], size) for language, size in (("lume", 300), ("drask", 400))
    )
    work = InitContext(None, first, second, shared(first, second), None, {})
    draft = RowSources(400, first.used)
    draft.copy(*work.shared)
    nothing, something = (second.tokens[i] for i in draft.open()[:2].tolist())
    old = [second.tokens[i] for i in work.shared[0][10:20].tolist()]
    matrix = numpy.eye(12, dtype=numpy.float32)
    matrix[:, 11] = 1  # like all others
    matrix[0] = 0
    combine_shared(draft, work, WordVectors([nothing, something, *old], matrix))
    assert [Kind(kind).name for kind in draft.kinds[[second.tokenizer.get_vocab()[nothing]]]] == ["DRAWN"]
    assert [Kind(kind).name for kind in draft.kinds[[second.tokenizer.get_vocab()[something]]]] == ["COMBINED"]
    assert work.facts["tokens with vectors"] == {"shared": 10, "new": 1}


def test_shared_tokens_stand_for_the_same_bytes(tokenizers):
    source, target = (Vocabulary(tokenizers[kind, "drask"], 400) for kind in ("wordpiece", "bpe"))
    ids, olds = shared(source, target)
    pairs = {target.tokens[new]: source.tokens[old] for new, old in zip(ids.tolist(), olds.tolist())}
    assert pairs["<s>"] == "[CLS]"
    assert pairs["</s>"] == "[SEP]"
    assert pairs["<pad>"] == "[PAD]"
    assert pairs["<mask>"] == "[MASK]"
    assert pairs["Ġzåsk".replace("å", "Ã¥")] == "zåsk"
    exact, _ = shared(source, target, ignore_case=False)
    assert set(exact.tolist()) < set(ids.tolist())
    same, again = shared(source, source)
    assert (same == again).all()
    assert len(same) == source.used.sum()


def test_every_row_is_made_as_its_plan_says():
    old = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    used = numpy.array([True] * 5 + [False])
    draft = RowSources(8, used)
    draft.copy(numpy.array([0, 7]), numpy.array([3, 0]))
    draft.combine(numpy.array([2, 2, 1]), numpy.array([4, 1, 0]), numpy.array([0.25, 0.75, 2.0], numpy.float32))
    draft.set(numpy.array([3]), Kind.MEAN)
    draft.set(numpy.array([4]), Kind.PREDICTED)
    draft.predicted["input"] = torch.ones(1, 3)
    draft.leave_out(numpy.arange(8) != 6)
    plan = draft.plan()
    new = plan.apply(old, torch.Generator().manual_seed(1))
    assert torch.equal(new[[0, 7]], old[[3, 0]])
    torch.testing.assert_close(new[2], 0.25 * old[4] + 0.75 * old[1])
    torch.testing.assert_close(new[1], 2 * old[0])
    torch.testing.assert_close(new[3], old[:5].mean(0))
    assert torch.equal(new[4], torch.ones(3))
    torch.testing.assert_close(new[6], old[:5].mean(0))
    assert [Kind(kind).name for kind in plan.kinds] == [
        "COPIED",
        "COMBINED",
        "COMBINED",
        "MEAN",
        "PREDICTED",
        "DRAWN",
        "UNUSED",
        "COPIED",
    ]
    assert torch.equal(plan.apply(old, torch.Generator().manual_seed(1)), new)
    bias = plan.apply(old[:, 0], torch.Generator())
    torch.testing.assert_close(bias[[2, 5]], torch.stack([0.25 * old[4, 0] + 0.75 * old[1, 0], old[:5, 0].mean()]))


def test_drawn_rows_have_the_mean_and_deviation_of_the_old_ones():
    old = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.1, 1, 5]) + 2
    new = RowSources(20000, numpy.ones(500, bool)).plan().apply(old, torch.Generator().manual_seed(1))
    torch.testing.assert_close(new.mean(0), old.mean(0), rtol=0.05, atol=0.02)
    torch.testing.assert_close(new.std(0), old.std(0), rtol=0.05, atol=0)


@pytest.fixture
def bytes_first():
    """A vocabulary that falls back to bytes, which stand before its pieces, as Llama's does."""
    tokens = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *"▁ABab!ß", "▁a", "▁ab"]
    backend = Tokenizer(
        BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[("▁", "a"), ("▁a", "b")], byte_fallback=True)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")
    return Vocabulary(tokenizer, len(tokens))


def test_a_vocabulary_shares_every_token_with_itself(bytes_first, tokenizers):
    words = WordLevel({token: i for i, token in enumerate(["[UNK]", "!", "##!", "a", "##a"])}, "[UNK]")
    pieces = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(words), unk_token="[UNK]")
    for vocabulary in (bytes_first, Vocabulary(pieces, 5), Vocabulary(tokenizers["unigram", "lume"], 300)):
        ids, olds = shared(vocabulary, vocabulary)
        assert ids.tolist() == olds.tolist() == sorted(vocabulary.tokens)


def test_letters_are_copied_from_letters_not_from_bytes(bytes_first, tokenizers):
    target = Vocabulary(tokenizers["bpe", "lume"], 300)
    for ignore_case in (True, False):
        pairs = dict(zip(*(each.tolist() for each in shared(bytes_first, target, ignore_case))))
        found = {target.tokens[new]: bytes_first.tokens[old] for new, old in pairs.items()}
        assert (found["a"], found["!"], found["A"]) == ("a", "!", "A")
        assert found["z"] == "<0x7A>"  # there is no other
    back = dict(zip(*(each.tolist() for each in shared(target, bytes_first))))
    assert {target.tokens[back[i]] for i, token in bytes_first.tokens.items() if token in ("a", "<0x61>")} == {"a"}


def test_small_letters_are_not_other_letters(bytes_first):
    words = WordLevel({token: i for i, token in enumerate(["[UNK]", "##ss", "##AB"])}, "[UNK]")
    target = Vocabulary(PreTrainedTokenizerFast(tokenizer_object=Tokenizer(words), unk_token="[UNK]"), 3)
    assert shared(bytes_first, target)[0].tolist() == [0]
