"""Retrieval beside naive loops, formulas and planted structure."""

import json

import numpy
import pytest
import torch

from semeqv.results.scores import read_subsets
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference
from semeqv.tasks.retrieval import nearest
from semeqv.tasks.retrieval.nearest import Similarities
from semeqv.tasks.retrieval.retrieval import retrieval
from semeqv.tasks.retrieval.vectors import SentenceEncoder
from semeqv.text.models.architectures import Encoder
from semeqv.text.tokenizers.encoding import first_token
from semeqv.train.compute import Compute
from tests.tasks.conftest import ENGLISH, FRENCH, SMALL

REGIME = ("cpu", "fp32", 1)


def encode(model, tokenizer, sentences, rows=7, **options):
    with inference(model, *REGIME) as regime:
        return SentenceEncoder(model, tokenizer, regime, **options)(sentences, rows)


@pytest.mark.parametrize("pooling", ["mean", "max", "cls", "last"])
@pytest.mark.parametrize("special", [False, True])
def test_vectors_equal_a_naive_loop(bert, tokenizer, pooling, special):
    found = encode(bert, tokenizer, ENGLISH, layers=("all",), pooling=pooling, special=special)
    assert found.shape == (3, len(ENGLISH), 16)
    for i, sentence in enumerate(ENGLISH):
        with torch.no_grad():
            states = bert(**tokenizer(sentence, return_tensors="pt"), output_hidden_states=True).hidden_states
        for layer, state in enumerate(states):
            inner = state[0] if special else state[0, 1:-1]
            expected = {"mean": inner.mean(0), "max": inner.amax(0), "cls": state[0, 0], "last": inner[-1]}[pooling]
            torch.testing.assert_close(found[layer, i], expected, atol=1e-5, rtol=1e-4)


def test_a_decoder_reads_the_first_token_of_a_text_which_is_not_pooled(gpt2, tokenizer):
    tokenizer.backend_tokenizer.post_processor = None
    found = encode(gpt2, tokenizer, ENGLISH, layers=("1", "last"))
    for i, sentence in enumerate(ENGLISH):
        row = [first_token(tokenizer, masked=False), *tokenizer(sentence, add_special_tokens=False)["input_ids"]]
        with torch.no_grad():
            states = gpt2(input_ids=torch.tensor([row]), output_hidden_states=True).hidden_states
        torch.testing.assert_close(found[0, i], states[1][0, 1:].mean(0), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found[1, i], states[2][0, 1:].mean(0), atol=1e-5, rtol=1e-4)


def test_the_encoder_tells_its_states(tokenizer):
    model = Encoder(**SMALL).build(tokenizer).eval()
    ids = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        states = model.base_model(ids, output_hidden_states=True).hidden_states
        torch.testing.assert_close(states[0], model.get_input_embeddings()(ids))
        torch.testing.assert_close(states[2], model.base_model(ids).last_hidden_state)
    assert len(states) == 3
    assert encode(model, tokenizer, ENGLISH, layers=("all",)).shape == (3, 40, 16)


def test_long_and_empty_sentences_have_vectors(bert, tokenizer):
    with inference(bert, *REGIME) as regime:
        encoder = SentenceEncoder(bert, tokenizer, regime, longest=8)
        found = encoder(["", "house " * 30, "house " * 6])
    assert encoder.cut == 1
    assert found.isfinite().all()
    torch.testing.assert_close(found[0, 1], found[0, 2], atol=1e-5, rtol=1e-4)
    with pytest.raises(UserError, match=r"--layer 3: the model has layers 0 .* to 2"):
        encode(bert, tokenizer, ENGLISH, layers=("3",))


def naive_scores(one, other, score, neighbours):
    one, other = (numpy.array([row / numpy.sqrt(row @ row) for row in each]) for each in (one, other))
    cosines = numpy.array([[row @ column for column in other] for row in one])
    near_one = [sum(sorted(row)[-neighbours:]) / neighbours for row in cosines]
    near_other = [sum(sorted(column)[-neighbours:]) / neighbours for column in cosines.T]
    found = cosines.copy()
    for i in range(len(one)):
        for j in range(len(other)):
            if score == "csls":
                found[i, j] = 2 * cosines[i, j] - near_one[i] - near_other[j]
            if score == "margin":
                found[i, j] = cosines[i, j] / (near_one[i] / 2 + near_other[j] / 2)
    return found


@pytest.mark.parametrize("score", ["cosine", "csls", "margin"])
@pytest.mark.parametrize("at_once", [1, 150, 2**24])
def test_places_equal_a_naive_loop(score, at_once, monkeypatch):
    monkeypatch.setattr(nearest, "AT_ONCE", at_once)
    generator = numpy.random.default_rng(1)
    one = generator.normal(size=(50, 6)) + 1
    other = one + generator.normal(size=(50, 6))
    scores = naive_scores(one, other, score, 3)
    forth, back = Similarities(torch.tensor(one), torch.tensor(other), score, 3).places()
    for places, table in ((forth, scores), (back, scores.T)):
        ranks = [int((row > row[i]).sum()) for i, row in enumerate(table)]
        assert places.before.tolist() == ranks
        assert places.alike.tolist() == [1] * 50
        for k in (1, 5):
            assert places.hits(k).tolist() == [rank < k for rank in ranks]


@pytest.mark.parametrize("score", ["cosine", "csls", "margin"])
def test_planted_structure(score):
    vectors = torch.randn(40, 8, generator=torch.Generator().manual_seed(1))
    for places in Similarities(vectors, vectors @ torch.eye(8), score).places():
        assert places.hits(1).all()
    for places in Similarities(torch.ones(40, 8), torch.ones(40, 8), score).places():
        assert places.hits(10).tolist() == [0.25] * 40
    shift = Similarities(vectors, vectors.roll(1, 0), score).places()[0]
    assert shift.hits(1).sum() == 0


def test_equal_sentences_share_their_places():
    vectors = torch.eye(4)[[0, 0, 1, 2]]
    assert Similarities(vectors, vectors).places()[0].hits(1).tolist() == [0.5, 0.5, 1, 1]


@pytest.mark.parametrize("bad", [slice(None), slice(3), slice(1, 2)])
@pytest.mark.parametrize("number", [numpy.nan, numpy.inf])
def test_vectors_that_are_not_finite_find_nothing(bad, number):
    vectors = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    broken = vectors.clone()
    broken[bad, 0] = number
    for pair in ((broken, vectors), (vectors, broken)):
        with pytest.raises(UserError, match=f"{len(broken[bad])} of 20 sentences are not finite.*--precision fp32"):
            Similarities(*pair)
    places = nearest.Places(numpy.array([0, 0]), numpy.array([0, 1]))
    assert places.hits(1).tolist() == [0, 1]


@pytest.mark.parametrize("score", ["cosine", "csls", "margin"])
def test_vectors_of_zeros_score_as_chance_does(score):
    for places in Similarities(torch.zeros(20, 4), torch.zeros(20, 4), score).places():
        assert places.hits(5).tolist() == [0.25] * 20


def test_languages_subsets_and_chance(bert, tokenizer, corpus, tmp_path):
    corpus.with_name("corpus.de").write_text("\n".join(ENGLISH) + "\n")
    (tmp_path / "subsets.json").write_text('{"head": ["fr", "xx"], "tail": ["yy"]}')
    options = {"path": corpus, "languages": ("fr", "de"), "layer": ("0", "last"), "subsets": tmp_path / "subsets.json"}
    found = retrieval(bert, tokenizer, seed=1, compute=Compute(*REGIME), corpus="moses", **options).records()
    keys = [(line["level"], line["of"], line["layer"], line["direction"]) for line in found]
    groups = [("language", "fr"), ("language", "de"), ("subset", "head"), ("subset", "all")]
    assert keys == [(*group, layer, way) for group in groups for layer in (0, 2) for way in ("to", "from", "both")]
    lines = dict(zip(keys, found))
    assert lines["language", "de", 2, "to"]["accuracy@1"] == 1
    fr, de, every = (lines[*groups[place], 2, "both"] for place in (0, 1, 3))
    assert every["accuracy@5"] == pytest.approx((fr["accuracy@5"] + de["accuracy@5"]) / 2)
    assert (every["pairs"], every["languages"], every["random@10"]) == (80, 2, 0.25)
    assert fr["accuracy@1_low"] < fr["accuracy@1"] < fr["accuracy@1_high"]
    vectors = [encode(bert, tokenizer, each)[0] for each in (FRENCH, ENGLISH)]
    hits = [places.hits(1).mean() for places in Similarities(*vectors).places()]
    assert fr["accuracy@1"] == pytest.approx(numpy.mean(hits))


def test_mistakes_are_one_line(run_cli, tmp_path, bert, tokenizer):
    for fault, message in (
        ("--layer first", "--layer takes numbers of layers, last or all, not 'first'"),
        ("--k 0", "--k takes one or more sizes"),
        ("--corpus moses", "needs --path"),
        ("--corpus flores", "needs --languages"),
        ("--pivot fra", "--pivot of tatoeba is eng"),
    ):
        assert message in run_cli(f"cli model load --from x cli retrieval {fault}", code=2).err
    for text in ("[1]", "{", '{"a": "b"}'):
        (tmp_path / "subsets.json").write_text(text)
        with pytest.raises(UserError, match="holds no lists of languages"):
            read_subsets(tmp_path / "subsets.json")
    with pytest.raises(UserError, match="has lume and drask, not 'en'"):
        retrieval(bert, tokenizer, corpus="babel", languages=("en",))


def test_a_trained_model_is_measured_and_drawn(run_cli, tmp_path):
    parts = "cli tokenizer wordpiece --vocab_size 500 cli dataset babel --documents 60 --block_size 32 --leak 0.2"
    model = "cli model bert --layers 2 --heads 2 --embedding_size 16 --block_size 64"
    action = "cli retrieval --corpus babel --sentences 50 --layer all --csv r.csv"
    run_cli(f"--steps 3 --output run {parts} {model} cli optimizers adamw cli train {action}")
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    found = [line for line in lines if line.get("measure") == "retrieval"]
    assert [line["layer"] for line in found if line["direction"] == "both"] == [0, 1, 2]
    assert found[0]["overlap_with"] == "babel"
    assert found[0]["random@1"] == 1 / 50
    again = run_cli(
        f"--output later cli model load --from run {action} cli retrieval-view later run --k 5 --output f.png"
    )
    assert "drask" in again.out
    later = [json.loads(line) for line in (tmp_path / "later/metrics.jsonl").read_text().splitlines()]
    assert [line["accuracy@5"] for line in later] == [line["accuracy@5"] for line in found]
    assert (tmp_path / "f.pdf").exists()
    assert (
        "no line has the retrieval of 'all' with 'accuracy@3'"
        in run_cli("cli retrieval-view run --of all --k 3", code=2).err
    )
