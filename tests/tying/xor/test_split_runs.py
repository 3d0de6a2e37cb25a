"""Runs record the split of their strings, and are not resumed with another."""

import json

import pytest

from semeqv.runs.files import sha256
from tests.sentences import LOSS, MODEL, OPTIMIZER

DATA = "cli xor dataset default --size 7 --zero_dst .1 .9 --one_dst .5 .5 --batch_size 1024 --drop_last False"
SAVER = "cli savers default-saver"


def sentence(split="", seeds="--seed 42", saver=SAVER, steps=3):
    data = f"{DATA} {split} {DATA} {split} --split validation"
    return f"{seeds} --steps {steps} --output run {data} {MODEL} {OPTIMIZER} {LOSS} {saver} cli train"


def test_a_run_records_its_split_and_is_resumed_with_it_alone(run_cli, tmp_path):
    run_cli(sentence())
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert record["facts"]["dataset"]["train"]["split"] == {
        "train": 114,
        "of": 128,
        "shuffle": "random.Random",
        "split_seed": 14,
        "all_ones": False,
        "held_out": 0.1,
    }
    assert record["facts"]["dataset"]["validation"]["strings"] == 12
    for split, changed in (
        ("--split_seed 15", "--split_seed 14, is --split_seed 15"),
        ("--held_out 0", "--held_out 0.1, is --held_out 0.0"),
        ("--all_ones", "--all_ones False, is --all_ones True"),
        ("--held_out_strings 0000001", "--held_out_strings 0000001"),
    ):
        err = run_cli(sentence(split, saver=f"{SAVER} --resume", steps=6), code=2).err
        assert "run cannot be resumed, for the run has changed: data was " in err
        assert changed in err
        assert len(err.strip().splitlines()) == 1
    run_cli(sentence("--seed 14", saver=f"{SAVER} --resume", steps=6))
    assert json.loads((tmp_path / "run/run.json").read_text())["steps"] == 6


@pytest.mark.parametrize("split", ["", "--split_seed 3", "--held_out 0 --all_ones", "--held_out_strings 0000001"])
def test_replicas_of_several_seeds_share_the_split(run_cli, tmp_path, split):
    run_cli(sentence(split, seeds="--seeds 42..43 --compile False"))
    facts = [json.loads(path.read_text())["facts"]["dataset"] for path in sorted(tmp_path.glob("run/4*/run.json"))]
    assert len(facts) == 2
    assert facts[0] == facts[1]
    run_cli(sentence(split, seeds="--seed 43 --overwrite"))
    assert json.loads((tmp_path / "run/run.json").read_text())["facts"]["dataset"] == facts[1]


def test_a_run_of_the_earlier_shuffle_is_not_gone_on_with(run_cli, tmp_path):
    """As its checkpoint says it: other options, and a data set of other strings."""
    run_cli(sentence())
    (path,) = tmp_path.glob("run/checkpoints/*/trainer.json")
    trainer = json.loads(path.read_text())
    definition = trainer["definition"]
    options = definition["cli xor dataset default"]
    for name, old in (("--split_seed", "--seed"), ("--all_ones", "--every_string")):
        options[options.index(name)] = old
    definition["data"] = {**definition["data"], "strings": 115, "hash": "another"}
    del definition["data"]["split"]
    path.write_text(json.dumps(trainer, indent=2) + "\n")
    manifest = path.with_name("MANIFEST.json")
    files = json.loads(manifest.read_text())
    files["files"][path.name]["sha256"] = sha256(path)
    manifest.write_text(json.dumps(files))
    err = run_cli(sentence(saver=f"{SAVER} --resume", steps=6), code=2).err
    assert "cannot be resumed, for the run has changed" in err
    assert "'strings': 115" in err
