"""Word vectors as a model."""

import subprocess
import sys

import numpy
import pytest
import torch
from tiny import model
from transformers import AutoModel, AutoTokenizer

from ofa.vectors.word_vectors import WordVectors, write_vectors
from semeqv.text.models import families
from semeqv.text.models.opening import open_model

families.know("word-bag")


@pytest.fixture
def words(tmp_path):
    """Vectors of five words, one of them in two languages."""
    matrix = numpy.random.default_rng(0).normal(size=(5, 3)).astype(numpy.float32)
    write_vectors(tmp_path / "words.vec", WordVectors(["fr:chat", "en:cat", "en:chat", "fr:l'eau", "en:the"], matrix))
    return matrix


def test_a_text_is_the_words_it_has(run_cli, tmp_path, words):
    run_cli("cli ofa bag --vectors words.vec --smoothing 0")
    bag, tokenizer = AutoModel.from_pretrained(tmp_path / "bag"), AutoTokenizer.from_pretrained(tmp_path / "bag")
    batch = tokenizer("The CHAT: l'eau, 25 dogs", add_special_tokens=False, return_tensors="pt")
    states = bag(**batch, output_hidden_states=True).hidden_states
    assert len(states) == 1
    expected = numpy.stack([words[4], (words[0] + words[2]) / 2, words[3], numpy.zeros(3, numpy.float32)])
    torch.testing.assert_close(states[0][0], torch.from_numpy(expected), rtol=1e-4, atol=1e-5)


def test_frequent_words_weigh_less(run_cli, tmp_path, words):
    run_cli("cli ofa bag --vectors words.vec --smoothing 0.1")
    rows = AutoModel.from_pretrained(tmp_path / "bag").get_input_embeddings().weight
    harmonic = sum(1 / place for place in range(1, 6))
    for row, place in ((5, 2), (7, 5)):  # cat, the
        share = 1 / place / harmonic
        expected = torch.from_numpy(words[place - 1] * 0.1 / (0.1 + share))
        torch.testing.assert_close(rows[row].detach(), expected, rtol=1e-4, atol=1e-5)


def test_it_finds_translations_and_tags_words(run_cli):
    pair = "cli dataset babel --documents 200"
    run_cli(f"{pair} cli ofa vectors --dimensions 40 --least 2")
    run_cli("cli ofa bag --vectors vectors.vec")
    said = run_cli(f"{pair} cli model load --from bag cli retrieval --corpus babel --sentences 50").out
    assert "Retrieval" in said
    tags = "cli dataset babel-tags --languages lume --documents 20"
    learnt = f"cli model token-classifier --from bag {tags} {tags} --split test --name lume cli optimizers adam"
    run_cli(f"--steps 3 --output run {learnt} cli train cli test")
    before, after = (open_model(name).get_input_embeddings().weight for name in ("bag", "run"))
    assert torch.equal(before, after)


def test_vectors_of_tokens_are_a_donor(run_cli, save, tokenizers, tmp_path):
    first, second = tokenizers["bpe", "lume"], tokenizers["bpe", "drask"]
    save(model("roberta", first), first)
    second.save_pretrained(tmp_path / "target")
    shared = first.get_vocab()
    tokens = sorted(second.get_vocab(), key=lambda token: (token not in shared, token))[:-5]
    matrix = numpy.random.default_rng(0).normal(size=(len(tokens), 6)).astype(numpy.float32)
    write_vectors(tmp_path / "tokens.vec", WordVectors(tokens, matrix))
    run_cli("cli ofa bag --vectors tokens.vec --tokens_of target --output donor")
    init = "cli ofa init omp --tokens 4 --from old --target_tokenizer target"
    said = run_cli(f"{init} --donor donor --output new").out
    assert "combined of old tokens" in said
    assert "drawn at random" in said  # the tokens without a vector
    write_vectors(tmp_path / "other.vec", WordVectors(["nothing"], matrix[:1]))
    assert "No token has a vector" in run_cli("cli ofa bag --vectors other.vec --tokens_of target", code=2).err
    said = run_cli("cli ofa bag --vectors other.vec --tokens_of no/where/at/all", code=2).err
    assert "Error: --tokens_of no/where/at/all: " in said


def test_the_auto_classes_open_it_after_one_import(run_cli, tmp_path, words):
    run_cli("cli ofa bag --vectors words.vec")
    program = "import ofa; from transformers import AutoModel; print(type(AutoModel.from_pretrained('bag')))"
    done = subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, capture_output=True, text=True)
    assert "BagModel" in done.stdout
