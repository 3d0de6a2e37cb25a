"""Runs of whole sentences: what they leave in their folders, and how they go on."""

import json

import numpy
import pytest

from semeqv.train.losses import CrossEntropy
from semeqv.train.optimizers import AdamW
from semeqv.train.randomness import seed_everything
from semeqv.train.saver import DefaultSaver
from semeqv.train.schedulers import Cosine
from semeqv.train.trainer import Trainer
from semeqv.tying.xor.dataset import Default
from semeqv.tying.xor.models import Transformer
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID
from tests.train.test_trainer import same, weights

SEGMENTS = (DATA, VALID, MODEL, LOSS, OPTIMIZER, "cli schedulers cosine", "cli callbacks cdists")


def test_order_does_not_matter_and_the_builder_gives_the_same(run_cli, tmp_path):
    found = []
    for i, shift in enumerate((0, 1, 2, 3, 4, 5)):
        line = " ".join(SEGMENTS[shift:] + SEGMENTS[:shift][::-1])
        run_cli(f"--seed 7 --epochs 6 --output {tmp_path}/{i} {line} cli train")
        found.append(weights(tmp_path / str(i)))
    assert all(same(found[0], other) for other in found[1:])

    data = Default(size=5, zero_dst=(0.1, 0.9), one_dst=(0.5, 0.5), batch_size=64, drop_last=False).build()
    seed_everything(7)
    model = Transformer(layers=1, heads=1, embedding_size=4, feedforward_size=4).build(data)
    (
        Trainer()
        .set_seed(7)
        .set_model(model)
        .set_loss_fn(CrossEntropy().build())
        .set_optimizer(AdamW(learning_rate=0.01))
        .set_scheduler(Cosine())
        .set_trainsplit(data)
        .set_epochs(6)
        .set_saver(DefaultSaver().build())
        .set_output(tmp_path / "python")
        .train()
    )
    assert same(found[0], weights(tmp_path / "python"))


def test_what_a_run_leaves(run_cli, tmp_path):
    out = run_cli(f"--epochs 4 --etv 2 --output run {' '.join(SEGMENTS)} cli train").out
    assert "validation, step 4" in out
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert record["sentence"]["actions"] == ["train"]
    assert record["facts"]["dataset"]["train"]["bayes_accuracy"] == pytest.approx(0.7)
    assert record["steps"] == 4
    assert {"torch", "semeqv", "python"} <= record["versions"].keys()
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["split"]) for line in lines] == [
        (2, "train"),
        (2, "validation"),
        (4, "train"),
        (4, "validation"),
    ]
    assert numpy.load(tmp_path / "run/input_cdists.npy", allow_pickle=False).shape == (5, 7, 7)
    run_cli("--config run/run.json --output again --epochs 4")
    assert (tmp_path / "again/metrics.jsonl").read_text() == (tmp_path / "run/metrics.jsonl").read_text()


def test_a_run_is_not_lost_to_another(run_cli, tmp_path):
    line = f"--output run {' '.join(SEGMENTS)} cli train"
    run_cli(line)
    before = (tmp_path / "run/metrics.jsonl").read_bytes()
    assert "already holds a run" in run_cli(line, code=2).err
    assert (tmp_path / "run/metrics.jsonl").read_bytes() == before
    run_cli(f"--overwrite --seed 5 {line}")
    assert (tmp_path / "run/metrics.jsonl").read_bytes() != before


def test_testing_takes_the_best_weights(run_cli, tmp_path):
    test = "cli xor dataset default --size 5 --batch_size 64 --drop_last False --split test --draws 4"
    line = " ".join(SEGMENTS)
    out = run_cli(f"--epochs 3 --output run {line} {test} cli savers default-saver --savebest cli train cli test").out
    assert "test" in out
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["split"] == "test"


def test_a_run_without_a_terminal_prints_no_bars(run_cli):
    assert run_cli(f"{' '.join(SEGMENTS)} cli train").err == ""


def test_without_a_compiler_long_runs_go_on_uncompiled(run_cli, monkeypatch):
    monkeypatch.setattr("semeqv.train.preparation.shutil.which", lambda name: None)
    monkeypatch.setattr("semeqv.train.preparation.COMPILE_FROM", 3)
    assert "There is no compiler for C++ here" in run_cli(f"--steps 4 {' '.join(SEGMENTS)} cli train").err


TEST = "cli xor dataset default --size 5 --batch_size 64 --drop_last False --split test --draws 4"


def test_testing_alone_adds_to_what_a_run_left(run_cli, tmp_path):
    line = " ".join(SEGMENTS)
    run_cli(f"--epochs 3 --output run {line} cli train")
    before = (tmp_path / "run/metrics.jsonl").read_text()
    run_cli(f"--output run {TEST} {MODEL} {LOSS} cli test")
    after = (tmp_path / "run/metrics.jsonl").read_text()
    assert after.startswith(before)
    added = json.loads(after[len(before) :])
    assert (added["split"], added["step"], added["epoch"]) == ("test", 3, 3)


def test_testing_may_come_before_going_on(run_cli, tmp_path):
    line = f"{' '.join(SEGMENTS)} cli savers default-saver --resume"
    run_cli(f"--epochs 2 --output a {line} cli train")
    run_cli(f"--epochs 4 --output a {TEST} {line} cli test cli train")
    run_cli(f"--epochs 4 --output b {line} cli train")
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))


def test_continuing_from_another_run_keeps_both(run_cli, tmp_path):
    line = f"{' '.join(SEGMENTS)} cli savers default-saver"
    run_cli(f"--epochs 3 --output a {line} --savebest cli train")
    run_cli(f"--epochs 3 --output b {line} cli train")
    kept = (tmp_path / "b/metrics.jsonl").read_text()
    assert "already holds a run" in run_cli(f"--epochs 6 --output b {line} --restorepath a cli train", code=2).err
    assert (tmp_path / "b/metrics.jsonl").read_text() == kept
    run_cli(f"--epochs 6 --output c {line} --restorepath a cli train")
    run_cli(f"--epochs 6 --output d {line} cli train")
    assert same(weights(tmp_path / "c"), weights(tmp_path / "d"))
    assert (
        "is neither a checkpoint nor a run" in run_cli(f"--output e {line} --restorepath nowhere cli train", code=2).err
    )


def test_a_finished_run_says_so(run_cli):
    line = f"--epochs 3 --output a {' '.join(SEGMENTS)} cli savers default-saver --resume cli train"
    run_cli(line)
    again = run_cli(line)
    assert "Nothing is left to do" in again.err
    assert "validation, step 3" in again.out


def test_untying_needs_no_record(run_cli, tmp_path):
    line = " ".join(SEGMENTS).replace("cdists", "cdists-decouple --etd 3 --etc 2")
    run_cli(f"--epochs 6 --output run {line} cli train".replace(MODEL, f"{MODEL} --tie"))
    first, second = (numpy.load(tmp_path / f"run/{side}_cdists.npy") for side in ("input", "output"))
    assert [bool((a == b).all()) for a, b in zip(first, second)] == [True, True, False, False]


def test_one_of_two_ways_to_say_it(run_cli):
    assert "Write --seed or --seeds, not both." in run_cli("--seed 1 --seeds 2 cli train", code=2).err
    assert "Write --epochs or --steps, not both." in run_cli("--epochs 1 --steps 2 cli train", code=2).err


def test_what_is_measured_says_how(run_cli, tmp_path):
    text = "cli dataset babel --documents 20 --block_size 32 --batch_size 8"
    sizes = "--layers 1 --heads 1 --embedding_size 8"
    run_cli(
        f"--steps 2 --output run cli tokenizer bpe --vocab_size 300 {text} cli model gpt2 {sizes} --block_size 32 "
        "cli optimizers adamw cli train"
    )
    trained = (tmp_path / "run/run.json").read_text()
    measure = f"cli model load --from run {text} --split test cli perplexity cli test"
    counts = []
    for folder in ("there", "there --overwrite", "there", "run --overwrite"):
        run_cli(f"--output {folder} {measure}")
        path = tmp_path / folder.split()[0]
        counts.append(len((path / "metrics.jsonl").read_text().splitlines()))
    assert counts[:3] == [counts[0], counts[0], 2 * counts[0]]
    assert counts[3] == counts[0] + 1
    assert (tmp_path / "run/run.json").read_text() == trained
    record = json.loads((tmp_path / "there/run.json").read_text())
    assert [said.split()[0] for said in record["sentence"]["actions"]] == ["perplexity", "test"]
    assert record["facts"]["dataset"]["test"]["batches"] > 0
    assert "seconds" not in record
    long = run_cli(
        f"--output long cli model load --from run {text.replace('32', '33')} --split test cli test", code=2
    ).err
    assert "rows of 33 tokens, but the model reads 32 at once. Say --block_size 32" in long


def test_an_action_on_a_sharded_model_is_refused_before_anything_starts(run_cli, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    line = "--strategy fsdp --output run cli dataset babel cli model gpt2 cli train cli generate --prompt a"
    assert "`cli generate` looks at the whole model" in run_cli(line, code=2).err
    assert not (tmp_path / "run").exists()
