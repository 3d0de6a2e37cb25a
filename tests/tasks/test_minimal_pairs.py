"""BLiMP beside naive loops with transformers."""

import json

import numpy
import pytest
import torch

from semeqv.results.statistics import interval, resampled
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference
from semeqv.tasks.likelihood.minimal_pairs import MinimalPair, accuracy_lines, around, read_pairs, scored
from semeqv.text.datasets.parallel import Moses
from semeqv.text.generation import prompt_ids
from semeqv.text.models.architectures import GPT2
from semeqv.text.tokenizers.trained import Bpe


@pytest.fixture
def folder(tmp_path):
    """Two paradigms of six pairs."""
    path = tmp_path / "toy"
    path.mkdir()
    for number, paradigm in enumerate(("house_first", "street_first")):
        rows = [
            {
                "sentence_good": f"house {i} stands in street number {i * 3 % 7}{' long' * (i % 4)}",
                "sentence_bad": f"house {i} stands street in number {i * 3 % 7}",
                "field": "syntax",
                "linguistics_term": f"order_{number}",
                "UID": paradigm,
                "pairID": str(i),
            }
            for i in range(6)
        ]
        (path / f"{paradigm}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "README.md").write_text("about it")
    return path


def score(model, tokenizer, pairs, rows):
    with inference(model, "cpu") as regime:
        return scored(pairs, model, tokenizer, regime, rows)


@pytest.mark.parametrize("rows", [1, 5, 64])
def test_sentences_of_a_causal_model_equal_a_naive_loop(gpt2, tokenizer, folder, rows):
    pairs = read_pairs(folder)
    nats = score(gpt2, tokenizer, pairs, rows)
    for pair, both in zip(pairs, nats):
        for sentence, found in zip((pair.good, pair.bad), both):
            row = [tokenizer.bos_token_id, *tokenizer(sentence, add_special_tokens=False)["input_ids"]]
            ids = torch.tensor([row])
            with torch.no_grad():
                loss = float(gpt2(input_ids=ids, labels=ids).loss)
            assert found == pytest.approx(loss * (len(row) - 1), rel=1e-5)


def test_sentences_of_a_masked_model_equal_a_naive_loop(bert, tokenizer, folder):
    pairs = read_pairs(folder, most=2)
    nats = score(bert, tokenizer, pairs, 3)
    for pair, both in zip(pairs, nats):
        for sentence, found in zip((pair.good, pair.bad), both):
            row, total = tokenizer(sentence)["input_ids"], 0.0
            assert (row[0], row[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
            for place in range(1, len(row) - 1):
                hidden = torch.tensor([[*row[:place], tokenizer.mask_token_id, *row[place + 1 :]]])
                with torch.no_grad():
                    total -= float(bert(input_ids=hidden).logits[0, place].log_softmax(-1)[row[place]])
            assert found == pytest.approx(total, rel=1e-4)


@pytest.fixture
def bpe(corpus):
    """A tokenizer of byte-level BPE; with `wrap` it puts special tokens around texts."""
    return lambda wrap: Bpe(vocab_size=300, wrap=wrap).build({("train", None): Moses(path=corpus)})


def test_a_causal_model_starts_from_what_it_was_trained_to_start_from(bpe, corpus):
    plain, wrapping = bpe(False), bpe(True)
    assert plain.cls_token_id != plain.bos_token_id == plain.eos_token_id  # as GPT-2's
    assert around(plain, masked=False) == ([plain.eos_token_id], [])  # what separates packed documents
    assert around(wrapping, masked=False) == ([wrapping.bos_token_id], [])  # as Llama's
    for tokenizer in (plain, wrapping):
        assert around(tokenizer, masked=True) == ([tokenizer.cls_token_id], [tokenizer.eos_token_id])
    other = bpe(False)
    other.bos_token = other.cls_token  # named, and not put before texts
    assert around(other, masked=False) == ([other.eos_token_id], [])
    model = GPT2(layers=1, heads=1, embedding_size=8, block_size=40).build(other)
    assert other.bos_token_id == model.config.bos_token_id == other.eos_token_id  # what other programs score behind
    assert prompt_ids("", bpe(False), model, 3).tolist() == [[plain.eos_token_id]]
    for objective, first in (("causal", plain.eos_token_id), ("masked", plain.cls_token_id)):
        data = Moses(path=corpus, block_size=40, packing=False, objective=objective)
        assert data.build(bpe(False)).layout.first == first


def test_accuracies_are_means_of_paradigms():
    pairs = [MinimalPair("a", "b", *names) for names in [("p", "x", "f")] * 3 + [("q", "x", "f")] + [("r", "y", "f")]]
    nats = numpy.array([[1, 2], [1, 2], [2, 1], [1, 2], [1, 1]])  # what is equally probable is not right
    found = {(line["level"], line["of"]): line for line in accuracy_lines(pairs, nats, 200, seed=1)}
    expected = {("paradigm", "p"): 2 / 3, ("paradigm", "q"): 1, ("paradigm", "r"): 0, ("phenomenon", "x"): 5 / 6}
    expected |= {("phenomenon", "y"): 0, ("field", "f"): 5 / 9, ("all", "all"): 5 / 9}
    assert {key: line["accuracy"] for key, line in found.items()} == pytest.approx(expected)
    assert found["paradigm", "p"]["low"] < 2 / 3 < found["paradigm", "p"]["high"]
    assert (found["all", "all"]["paradigms"], found["all", "all"]["pairs"]) == (3, 5)


def test_intervals_are_those_of_drawing_with_replacement():
    generator, values = numpy.random.default_rng(0), numpy.repeat([0.0, 0.5, 1.0], [30, 20, 50])
    naive = [generator.choice(values, 100).mean() for _ in range(4000)]
    means = resampled(values, 4000, generator)
    assert numpy.std(means) == pytest.approx(numpy.std(naive), rel=0.05)
    low, high = interval([values, values], 4000, generator)
    spread = 1.96 * values.std() / numpy.sqrt(200)
    assert (low, high) == pytest.approx((0.6 - spread, 0.6 + spread), abs=0.01)
    many = generator.random(500)
    assert numpy.std(resampled(many, 500, generator)) == pytest.approx(many.std() / numpy.sqrt(500), rel=0.15)


def test_pairs_are_chosen_and_mistakes_are_one_line(folder, tmp_path):
    assert len(read_pairs(folder, ("street_first",), 2)) == 2
    assert len(read_pairs(folder / "house_first.jsonl")) == 6
    with pytest.raises(UserError, match="no paradigm 'else'; it has house_first, street_first"):
        read_pairs(folder, ("else",))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no minimal pairs"):
        read_pairs(tmp_path / "empty")
    with pytest.raises(UserError, match="blimp"):
        read_pairs(tmp_path / "nowhere")


def test_the_sentence_writes_what_it_prints(run_cli, gpt2, tokenizer, folder, tmp_path):
    gpt2.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    said = run_cli(f"--output run cli model load --from model cli blimp --path {folder} --csv b.csv --scores s.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [line["of"] for line in lines] == ["house_first", "street_first", "order_0", "order_1", "syntax", "all"]
    right = [each["good"] > each["bad"] for each in map(json.loads, (tmp_path / "s.jsonl").read_text().splitlines())]
    assert lines[-1]["accuracy"] == pytest.approx(sum(right) / len(right))
    assert f"{lines[-1]['accuracy']:.3f}" in said.out
    assert len((tmp_path / "b.csv").read_text().splitlines()) == 7
