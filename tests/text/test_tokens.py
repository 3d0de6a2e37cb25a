"""Orders, token files, batches and objectives."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from semeqv.runs.errors import UserError
from semeqv.text.objectives import Causal, Masked
from semeqv.text.tokens import files as building
from semeqv.text.tokens.batches import Layout, TokenBatches, generator
from semeqv.text.tokens.files import TokenFile, read_facts, token_type
from semeqv.text.tokens.order import Alternation, permuted
from semeqv.text.tokens.words import WordEncoder

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "didn't",
    "see",
    "12",
    "dogs;",
    "naïve",
    "Šárka",
    "—",
    "中文",
    "ran",
]
END, PAD, MASK, FIRST = 0, 1, 2, 3


@given(st.integers(1, 3000), st.integers(0, 2**63), st.integers(0, 9))
def test_a_permutation_takes_every_place_once(size, seed, epoch):
    found = permuted(numpy.arange(size), size, seed, epoch)
    assert sorted(found) == list(range(size))
    assert permuted(numpy.array([size // 2]), size, seed, epoch)[0] == found[size // 2]


def test_permutations_differ_and_spread():
    first, second = (permuted(numpy.arange(10_000), 10_000, seed, 0) for seed in (1, 2))
    assert (first == second).mean() < 0.01
    assert abs(numpy.corrcoef(first, numpy.arange(10_000))[0, 1]) < 0.05
    assert abs(numpy.corrcoef(first[1:], first[:-1])[0, 1]) < 0.05


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=5))
def test_languages_alternate_at_their_weights(weights):
    alternation = Alternation(weights)
    part, ordinal = alternation(numpy.arange(2000))
    for i, weight in enumerate(weights):
        here = part == i
        assert abs(here.mean() - weight / sum(weights)) <= 0.001 * len(weights)
        assert list(ordinal[here]) == list(range(here.sum()))
        assert abs(here[:100].mean() - weight / sum(weights)) < 0.05  # in every stretch


@pytest.mark.parametrize("weights", [[1, 0.0003], [1e6**0.5, 0.04], [1e-9, 1]])
def test_no_language_is_left_out(weights):
    part, _ = Alternation(weights)(numpy.arange(100_001))
    share = min(weights) / sum(weights)
    assert (numpy.bincount(part) / len(part)).min() == pytest.approx(max(share, 1e-5), rel=0.2)


def tokenizer(kind):
    """A small tokenizer of each kind."""
    if kind == "bytes":
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
    elif kind == "pieces":
        made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[UNK]"], show_progress=False)
    else:
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.Sequence(
            [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip()]
        )
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=200, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False
        )
    made.train_from_iterator([" ".join(WORDS[i:] + WORDS[:i]) for i in range(len(WORDS))] * 3, trainer)
    return made


@pytest.fixture(scope="module", params=["bytes", "pieces", "blanks"])
def tokenizer_of_a_kind(request):
    return tokenizer(request.param)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.sampled_from([*"abc the\n\t  .,'中é</s>"]) | st.characters(codec="utf-8"), max_size=40)))
def test_words_have_the_tokens_of_the_text(tokenizer_of_a_kind, texts):
    encoder = WordEncoder(tokenizer_of_a_kind.to_str())
    tokens, lengths = encoder(texts)
    tokens, lengths = encoder(texts)  # from memory
    tokenizer_of_a_kind.encode_special_tokens = True
    expected = [tokenizer_of_a_kind.encode(text, add_special_tokens=False).ids for text in texts]
    assert [list(piece) for piece in numpy.split(tokens, numpy.cumsum(lengths)[:-1])][: len(texts)] == expected


def test_late_texts_of_another_kind_have_their_tokens_too(tokenizer_of_a_kind):
    encoder = WordEncoder(tokenizer_of_a_kind.to_str())
    assert encoder.unfit
    for texts in (
        ["the cat sat"] * 200,
        ["the cat"] * 100 + ["the\ncat", " a\x1ccat", "a\u00a0cat  sat ", "a \u200b b"],
    ):
        tokens, lengths = encoder(texts)
        expected = [tokenizer_of_a_kind.encode(text, add_special_tokens=False).ids for text in texts]
        assert [list(piece) for piece in numpy.split(tokens, numpy.cumsum(lengths)[:-1])] == expected


def test_a_tokenizer_that_looks_across_words_is_asked_for_whole_texts():
    made = Tokenizer(models.BPE())
    made.train_from_iterator(["a b a b a b"] * 5, trainers.BpeTrainer(vocab_size=20, show_progress=False))
    encoder = WordEncoder(made.to_str())
    tokens, lengths = encoder(["a b a b"])
    assert encoder.unfit is None
    assert list(tokens) == made.encode("a b a b").ids
    assert list(lengths) == [len(tokens)]


@pytest.fixture
def files(tmp_path, tokenizer_of_a_kind):
    """Token files of two languages, and what was in them."""
    rng = numpy.random.default_rng(0)
    rows = [{name: " ".join(rng.choice(WORDS, rng.integers(1, 30))) for name in ("en", "fr")} for _ in range(50)]
    vocabulary = tokenizer_of_a_kind.get_vocab_size()
    pieces = building.tokenised(rows, tokenizer_of_a_kind.to_str())
    building.write_token_files(tmp_path, pieces, vocabulary=vocabulary, separator=END)
    return {name: TokenFile.open(tmp_path, name, vocabulary) for name in ("en", "fr")}, rows, tokenizer_of_a_kind


def test_token_files_hold_the_documents(files):
    made, rows, tokenizer_of_a_kind = files
    for name, file in made.items():
        documents = numpy.split(file.tokens, file.ends)[:-1]
        assert [list(each) for each in documents] == [[*tokenizer_of_a_kind.encode(row[name]).ids, END] for row in rows]


def test_a_pair_makes_one_document(tmp_path):
    made = tokenizer("bytes")
    rows = [{"en": "the cat", "fr": "a mat"}, {"en": "dogs", "de": "ran"}]
    pieces = building.tokenised(rows, made.to_str(), together=True)
    building.write_token_files(tmp_path, pieces, vocabulary=made.get_vocab_size(), separator=END)
    assert set(read_facts(tmp_path)["languages"]) == {"en+fr", "en+de"}
    file = TokenFile.open(tmp_path, "en+fr", made.get_vocab_size())
    assert list(file.tokens) == [*made.encode("the cat").ids, END, *made.encode("a mat").ids, END]
    assert list(file.ends) == [len(file.tokens)]


def test_processes_write_what_one_does(tmp_path, monkeypatch):
    made = tokenizer("bytes")
    rows = [{"en": " ".join(WORDS[i % 7 :])} for i in range(300)]
    monkeypatch.setattr(building, "PIECE", 500)
    for name, helpers in (("one", 0), ("two", 2)):
        (tmp_path / name).mkdir()
        pieces = building.tokenised(rows, made.to_str(), helpers=helpers)
        building.write_token_files(tmp_path / name, pieces, vocabulary=400, separator=END)
    assert (tmp_path / "one/en.bin").read_bytes() == (tmp_path / "two/en.bin").read_bytes()


@pytest.mark.parametrize("count", [2, 3, 40])  # of the last, some have nothing to do
def test_shares_of_the_work_make_the_same_files(tmp_path, monkeypatch, count):
    made = tokenizer("bytes")
    rows = [{"en": " ".join(WORDS[i % 7 :]), "fr": " ".join(WORDS[: i % 5])} for i in range(300)]
    monkeypatch.setattr(building, "PIECE", 500)
    paths = [tmp_path / f"share-{number}" for number in range(count)]
    for number, path in enumerate(paths):
        building.write_share(path, building.tokenised(rows, made.to_str(), share=(number, count)))
    for name, pieces in (("one", building.tokenised(rows, made.to_str())), ("many", building.read_shares(paths))):
        (tmp_path / name).mkdir()
        building.write_token_files(tmp_path / name, pieces, vocabulary=400, separator=END)
    for name in ("en.bin", "fr.bin", "facts.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_large_vocabularies_take_four_bytes():
    assert token_type(2**16) == numpy.uint16
    assert token_type(2**16 + 1) == numpy.uint32


def test_a_damaged_token_file_is_named(files, tmp_path):
    with open(tmp_path / "en.bin", "ab") as file:
        file.write(b"x")
    with pytest.raises(UserError, match=r"en\.bin is damaged"):
        TokenFile.open(tmp_path, "en", 400)


def layout(packing, rows=4, time=16):
    return Layout(rows=rows, time=time, packing=packing, first=FIRST, last=END, pad=PAD)


def running(length, language="en", document=None):
    """A text whose tokens count upwards, so that each can be told from the others."""
    ends = numpy.arange(document or length, length + 1, document or length)
    return TokenFile(language, numpy.arange(10, length + 10).astype(numpy.uint32), ends)


@given(st.integers(2, 400), st.integers(1, 5), st.sampled_from([4, 7, 16]))
def test_a_pass_over_packed_text_asks_for_every_token_once(length, rows, time):
    data = TokenBatches([running(length)], Causal(), layout(True, rows, time))
    asked = [label for batch in data.batches() for label in batch["labels"].flatten().tolist() if label != -100]
    assert asked == list(range(11, length + 10))


@pytest.mark.parametrize("document", [3, 10, 60])
def test_a_pass_over_documents_asks_for_every_token_once(document):
    data = TokenBatches([running(120, document=document)], Causal(), layout(False))
    asked = [label for batch in data.batches() for label in batch["labels"].flatten().tolist() if label != -100]
    assert asked == list(range(10, 130))
    rows = torch.cat([batch["input_ids"][:, 0] for batch in data.batches()])
    assert (rows == FIRST).sum() == 120 // document
    for batch in data.batches():
        mask = batch.get("attention_mask", batch["input_ids"] * 0 + 1)
        assert ((batch["input_ids"] == PAD) == (mask == 0)).all()


@pytest.mark.parametrize("document", [3, 10, 60])
def test_every_piece_for_a_masked_model_stands_between_the_ends_of_a_text(document):
    masked = Masked(1e-9, MASK, [END, PAD, MASK, FIRST], 1000)
    data = TokenBatches([running(120, document=document)], masked, layout(False))
    text = []
    for batch in data.batches():
        for row, asked in zip(batch["input_ids"], batch["labels"]):
            first, *inner, last = torch.where(asked == -100, row, asked)[row != PAD].tolist()
            assert (first, last) == (FIRST, END)
            text += inner
    assert text == [token for token in range(10, 130) if (token - 9) % document]


@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("weights", [None, [0.7, 0.3]])
def test_the_stream_can_be_entered_anywhere(packing, weights):
    data = TokenBatches(
        [running(900, "en", 9), running(500, "fr", 10)],
        Masked(0.3, MASK, [END, PAD, MASK, FIRST], 1000),
        layout(packing),
    )
    if weights:
        data.mix(weights)
    whole = data.stream(seed=7)
    batches = [next(whole) for _ in range(3 * len(data))]
    for start in (1, len(data) - 1, len(data), 2 * len(data) + 3):
        again = next(data.stream(7, start))
        assert all(again[name].equal(batches[start][name]) for name in again)
    assert not batches[0]["input_ids"].equal(next(data.stream(8))["input_ids"])


def test_an_epoch_takes_every_document_once_and_each_epoch_in_its_own_order():
    data = TokenBatches([running(300, "en", 6), running(300, "fr", 5)], Causal(), layout(False, rows=5))
    stream = data.stream(3)
    epochs = [[tuple(row.tolist()) for _ in range(len(data)) for row in next(stream)["input_ids"]] for _ in range(2)]
    assert len(data) == 22
    assert len(set(epochs[0])) == 110 or len(epochs[0]) == 110
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert epochs[0] != epochs[1]


def test_weights_hold_in_every_batch():
    files = [running(9000, "en", 9), TokenFile("fr", numpy.full(500, 9999, numpy.uint32), numpy.arange(10, 501, 10))]
    data = TokenBatches(files, Causal(), layout(False, rows=10))
    data.mix([0.7, 0.3])
    stream = data.stream(0)
    for _ in range(20):
        assert (next(stream)["input_ids"][:, 1] == 9999).sum() == 3


def rows_of(masked, ids, real=None):
    ids = numpy.asarray(ids)
    return masked(ids, numpy.ones(ids.shape, bool) if real is None else real, numpy.random.default_rng(0))


def test_masking_follows_bert():
    masked = Masked(0.15, MASK, [END, PAD, MASK, FIRST], 1000)
    ids = numpy.random.default_rng(1).integers(0, 1000, (400, 100))
    inputs, labels = rows_of(masked, ids)
    asked, special = labels != -100, numpy.isin(ids, [END, PAD, MASK, FIRST])
    assert not asked[special].any()
    assert (labels[asked] == ids[asked]).all()
    assert (inputs[~asked] == ids[~asked]).all()
    assert asked[~special].mean() == pytest.approx(0.15, abs=0.01)
    assert (inputs[asked] == MASK).mean() == pytest.approx(0.8, abs=0.02)
    assert (inputs[asked] == ids[asked]).mean() == pytest.approx(0.1, abs=0.02)


def test_no_number_is_drawn_at_two_positions():
    drawn = numpy.stack([generator(position, 42, 2).random(1000) for position in range(20)])
    assert len(numpy.unique(drawn)) == drawn.size


def test_every_row_is_asked_for_something():
    masked = Masked(0.0001, MASK, [END, PAD, MASK, FIRST], 1000)
    ids = numpy.random.default_rng(1).integers(10, 1000, (50, 6))
    ids[0] = END
    real = numpy.ones(ids.shape, bool)
    real[:, 4:] = False
    asked = rows_of(masked, ids, real)[1] != -100
    assert list(asked.sum(1)) == [0] + [1] * 49
    assert not asked[:, 4:].any()


def test_whole_words_are_masked_in_whole():
    begins = numpy.arange(1000) % 3 == 1  # tokens 10, 13, ... begin words
    masked = Masked(0.3, MASK, [END, PAD, MASK, FIRST], 1000, begins)
    ids = numpy.tile(numpy.arange(10, 100), (30, 1))
    asked = (rows_of(masked, ids)[1] != -100).reshape(30, 30, 3)
    assert (asked.all(2) == asked.any(2)).all()
    assert asked.mean() == pytest.approx(0.3, abs=0.06)


def test_an_empty_corpus_is_refused():
    with pytest.raises(UserError, match="only 0 tokens"):
        TokenBatches(
            [TokenFile("en", numpy.zeros(0, numpy.uint16), numpy.zeros(0, numpy.int64))], Causal(), layout(True)
        )


def test_facts_are_json(files, tmp_path):
    assert json.loads((tmp_path / "facts.json").read_text())["languages"]["en"]["documents"] == 50


WITH_CHILDREN = """
import multiprocessing, os, sys, time
from tokenizers import Tokenizer, models
from semeqv.text.tokens import words

def work(prepare):
    getattr(words, prepare)(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")).to_str())
    print(os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    multiprocessing.get_context(sys.argv[1]).Process(target=work, args=(sys.argv[2],)).start()
    time.sleep(60)
"""


@pytest.fixture
def with_child(tmp_path):
    """Start a process that starts another by a method, which prepares itself to tokenise; return it and the child."""
    (tmp_path / "parent.py").write_text(WITH_CHILDREN)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    parents = []

    def start(method, prepare):
        words = [sys.executable, "parent.py", method, prepare]
        parents.append(subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True))
        return parents[0], parents[0].stdout.readline()

    yield start
    parents[0].kill()
    parents[0].wait()


def test_a_process_of_a_fork_server_tokenises(with_child):
    _, child = with_child("forkserver", "start")
    assert child.strip().isdecimal()
    os.kill(int(child), 9)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a process of its parent's end on Linux alone")
def test_processes_that_tokenise_end_with_the_one_that_started_them(with_child):
    parent, said = with_child("spawn", "start_helper")
    child = int(said)
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            return
        time.sleep(0.1)
    os.kill(child, 9)
    pytest.fail("the child lives on")
