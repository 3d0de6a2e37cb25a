"""Linear maps between sentence vectors."""

import json
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from semeqv.runs.errors import UserError
from semeqv.tasks.retrieval.maps import VectorSource, fit_map, read_map

MADE = VectorSource(1, "mean", False, "none")


def planted(noise=0.0):
    generator = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(6, 6, generator=generator)).Q
    one = functional.normalize(torch.randn(300, 6, generator=generator), dim=1) + 0.3
    other = (one - one.mean(0)) @ turn - 0.7
    return one, other + noise * torch.randn(300, 6, generator=generator), turn


@pytest.mark.parametrize("kind", ["orthogonal", "linear"])
def test_a_planted_turn_is_found(kind):
    one, other, turn = planted()
    found = fit_map(one, other, kind, 0.0, MADE)
    torch.testing.assert_close(found.matrix, turn, rtol=0, atol=1e-4)
    torch.testing.assert_close(found.mean, one.mean(0))
    with pytest.raises(UserError, match="layer 1"):
        found.moved(one[None], SimpleNamespace(layers=[2]))
    with pytest.raises(UserError, match="too few"):
        fit_map(one[:6], other[:6], kind, 0.0, MADE)


def test_states_that_are_not_finite_have_no_map():
    vectors = torch.randn(20, 4)
    with pytest.raises(UserError, match="1 of 20 sentences are not finite"):
        fit_map(vectors, vectors.clone().index_fill_(0, torch.tensor([3]), torch.nan), "orthogonal", 0.0, MADE)


def test_the_linear_one_is_that_of_least_squares():
    one, other, _ = planted(noise=0.1)
    expected = torch.linalg.lstsq(one - one.mean(0), other - other.mean(0)).solution
    torch.testing.assert_close(fit_map(one, other, "linear", 0.0, MADE).matrix, expected, rtol=0, atol=1e-4)


def test_sentences_are_moved_by_it(run_cli, tmp_path):
    pair = "cli dataset babel --documents 400"
    model = "cli tokenizer bpe --vocab_size 400 cli model bert --layers 1 --heads 1 --embedding_size 16"
    fit = "cli retrieval-map --pivot lume --sentences 1000 --kind linear"
    run_cli(f"{model} {pair} {fit}")
    measured = "cli retrieval --corpus babel --sentences 60 --replicates 2"
    kept = "--outcomes hits.jsonl"
    plain = run_cli(f"--output plain {model} {pair} {measured} {kept}") and lines(tmp_path / "plain")
    moved = run_cli(f"--output moved {model} {pair} {measured} --map map.safetensors") and lines(tmp_path / "moved")
    hits = [json.loads(line) for line in (tmp_path / "hits.jsonl").read_text().splitlines()]
    means = [sum(line["hits"]) / 60 for line in hits if line["k"] == 10]
    assert sum(means) / 2 == pytest.approx(plain["accuracy@10"], abs=1e-4)
    assert moved["map"] == "map.safetensors"
    assert "map" not in plain
    assert moved["accuracy@10"] > plain["accuracy@10"]
    assert read_map(tmp_path / "map.safetensors").made == VectorSource(1, "mean", False, "BertForMaskedLM")
    assert "not of" not in run_cli(f"{model} {pair} {measured} --map map.safetensors").err
    for option, advice in (("--pooling max", "say --pooling mean"), ("--special", "say --no-special")):
        assert advice in run_cli(f"{model} {pair} {measured} --map map.safetensors {option}", code=2).err
    other = model.replace("bert", "encoder")
    assert "fitted on the vectors of BertForMaskedLM" in run_cli(f"{other} {pair} {measured} --map map.safetensors").err
    assert not list(tmp_path.glob(".*.tmp"))
    assert read_map(tmp_path / "map.safetensors").made.layer == 1
    half = run_cli(f"--precision bf16 --output half {model} {pair} {measured} --map map.safetensors") and lines(
        tmp_path / "half"
    )
    assert half["accuracy@10"] == pytest.approx(moved["accuracy@10"], abs=0.1)
    assert "holds no map" in run_cli(f"{model} {pair} {measured} --map plain/run.json", code=2).err
    assert "aligned corpus" in run_cli(f"{model} {pair} --languages lume {fit}", code=2).err


def lines(folder):
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return next(line for line in found if line.get("direction") == "both")
