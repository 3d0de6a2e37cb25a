"""The parts of a logit add up to it."""

import csv
import json

import pytest
import torch
from small_backpacks import VARIANTS, make, tokens
from spoken_backpack import spoken

from backpack.attribution import parts_of


@pytest.mark.parametrize("variant", VARIANTS)
def test_parts_add_up(variant):
    model, ids = make(variant, initializer_range=0.1), tokens(1, 60)
    every, found = parts_of(model, ids, torch.arange(50))
    expected = model(input_ids=ids).logits[0, -1]
    torch.testing.assert_close(found.added.sum((1, 2)), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.whole, expected, rtol=0, atol=1e-5)
    assert (found.weights >= 0).all()
    torch.testing.assert_close(found.weights.sum(0), torch.full((4,), model.config.sense_scale))
    head, senses = model.lm_head.weight, model.senses(ids[0])
    assert found.logits[7, 5, 2].item() == pytest.approx((head[every[7]] @ senses[5, 2]).item(), abs=1e-5)


def test_edits_count():
    model, ids = make(initializer_range=0.1), tokens(1, 9)
    with model.backpack.edited(senses=lambda _, senses: 2 * senses, weights=lambda weights, _: weights / 3):
        likeliest, found = parts_of(model, ids, likeliest=2)
        expected = model(input_ids=ids).logits[0, -1]
    assert likeliest.tolist() == expected.topk(2).indices.tolist()
    torch.testing.assert_close(found.added.sum((1, 2)), expected[likeliest], rtol=0, atol=1e-5)


def test_the_sentence_explains_a_difference(run_cli, tmp_path):
    model = spoken(tmp_path / "m")
    line = "cli model load --from m cli backpack attribute --prompt 'bank river' --token he --against she"
    out = run_cli(f"--output runs/a {line} --json a.json --csv a.csv --top 2").out
    assert "Logit of 'he' less that of 'she' after 'bank river'" in out
    assert "6 other parts" in out
    (found,) = json.loads((tmp_path / "a.json").read_text())
    logits = model(input_ids=torch.tensor([[2, 3]])).logits[0, -1]
    assert found["logit"] == pytest.approx((logits[5] - logits[6]).item(), abs=1e-4)
    assert found["sum_of_parts"] == pytest.approx(found["logit"], abs=1e-4)
    assert sum(found["by_sense"]) == pytest.approx(found["logit"], abs=1e-4)
    with open(tmp_path / "a.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["read"] for row in rows] == ["bank"] * 4 + ["river"] * 4
    assert sum(float(row["part"]) for row in rows) == pytest.approx(found["logit"], abs=1e-4)
    assert (
        "after 'bank'" in run_cli("cli model load --from m cli backpack attribute --prompt bank --predictions 99").out
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", '--prompt "..."'),
        ("--prompt bank --token 'bank river'", "is 2 tokens here (bank river); name a word that is one"),
        ("--prompt bank --against nowhere", "no tokens for 'nowhere'"),
        ("--prompt bank --top 0", "--top must be at least 1"),
    ],
)
def test_mistakes_of_attribution_are_one_line(words, said, run_cli, tmp_path):
    spoken(tmp_path / "m")
    assert said in run_cli(f"cli model load --from m cli backpack attribute {words}", code=2).err
