"""The lines and the files of Semantica, the original code of the tied-embedding study, as its users have them."""

import json
import re

import numpy
import pytest
from matplotlib.image import imread

from semeqv.grammar.plugins import command
from semeqv.train.schedulers import Constant
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID

TEST = VALID.replace("validation", "test")
PARTS = f"{DATA} {VALID} {MODEL} {LOSS}"
NEEDS = {"callbacks wandb": "wandb", "callbacks tensorboard": "tensorboard"}
OTHER_DATA = {"callbacks predictions", "callbacks attachment"}  # need words with labels, and trees


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def components(*slots):
    """The commands that fill some slots, but for those that need data of another study."""
    paths = [leaf.kind.__command__ for leaf in command().leaves() if leaf.slot and leaf.slot.name in slots]
    return sorted(path for path in paths if path not in OTHER_DATA)


@pytest.mark.parametrize("path", components("scheduler", "optimizer", "saver", "callbacks"))
@pytest.mark.parametrize("seeds", ["--seed 1", "--seeds 1..2"])
def test_every_component_of_a_run_works_uncompiled(path, seeds, run_cli, tmp_path, monkeypatch):
    if path in NEEDS:
        pytest.importorskip(NEEDS[path])
        monkeypatch.setenv("WANDB_MODE", "offline")
    optimizer = "" if "optimizers" in path else OPTIMIZER
    run_cli(f"{seeds} --compile False --epochs 3 --output run {PARTS} {optimizer} cli {path} cli train")
    assert len(list(tmp_path.glob("run/**/metrics.jsonl"))) == (2 if "seeds" in seeds else 1)


def test_the_components_that_are_tried_are_many():
    assert {"schedulers noscheduler", "optimizers muon", "savers default-saver", "callbacks log"} <= set(
        components("scheduler", "optimizer", "saver", "callbacks")
    )


@pytest.mark.parametrize("seeds", ["--seed 1", "--seeds 1..2"])
def test_noscheduler_leaves_the_rate_and_is_resumed(seeds, run_cli, tmp_path):
    for epochs in (2, 4):
        run_cli(
            f"{seeds} --compile False --epochs {epochs} --output run {PARTS} {OPTIMIZER} cli schedulers noscheduler "
            "cli savers default-saver --resume cli train"
        )
    assert {lines(path)[-1]["epoch"] for path in tmp_path.glob("run/**/metrics.jsonl")} == {4}


SENTENCE = """--seed 42 --compile False --epochs 4 --trainbar False --validbar False --epochbar True --etv 2
cli callbacks cdists --etc 2 --input_embedding_path run/input_cdists --output_embedding_path run/output_cdists
  --step_log_path run/train_step.log --epoch_log_path run/train_epoch.log --split train
cli callbacks log --step_log_path run/valid_step.log --epoch_log_path run/valid_epoch.log --split validation
cli loss cross-entropy
cli xor dataset default --zero_dst [.1,.9] --one_dst [.5,.5] --drop_last False --batch_size 5 --shuffle True --size 7
  --device cpu --split train
cli xor dataset default --zero_dst [.1,.9] --one_dst [.5,.5] --drop_last False --batch_size 5 --shuffle False --size 7
  --device cpu --split validation
cli xor model transformerwt --heads 1 --layers 1 --embedding_size 4 --feedforward_size 4 --activation gelu
  --src_vocab_size 7 --tgt_vocab_size 7 --dropout 0 --device cpu
cli optimizers adamw --learning_rate 0.0005 --weight_decay 0.1
cli schedulers cosine --lrmin 0.00001 --tmax 10000
cli savers default-saver --dirpath run --map_location cpu --savelast False --savebest True --mode max --etc 0
cli train"""


def test_a_sentence_of_its_makefiles_runs_as_it_stands(run_cli, tmp_path):
    err = run_cli(SENTENCE.replace("\n", " ")).err
    assert err.count("--device belongs before the first `cli`") == 1
    run = tmp_path / "run"
    assert [line["epoch"] for line in lines(run / "valid_epoch.log")] == [2, 4]
    steps = lines(run / "valid_step.log")
    assert [(line["epoch"], line["batch"]) for line in steps] == [(e, b) for e in (2, 4) for b in (1, 2, 3)]
    assert all(line["split"] == "validation" and line["loss"] > 0 for line in steps)
    means = [numpy.average([line["loss"] for line in steps[i : i + 3]], weights=[5, 5, 2]) for i in (0, 3)]
    assert means == pytest.approx([line["loss"] for line in lines(run / "valid_epoch.log")], rel=1e-5)
    assert len(lines(run / "train_step.log")) == 4 * 23
    assert len(lines(run / "train_epoch.log")) == 2
    run_cli(f"cli accplot --title Accuracy --inputs {run}/valid_epoch.log untied "
        "--etc 1 --window 1 --cutoff 1 --hline 0.7 "
        "black -- --output acc.pdf".replace("black --", 'black "--"'))  # fmt: skip
    assert imread(tmp_path / "acc.png").ndim == 3


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("callback", ["log", "cdists", "embedding"])
def test_every_callback_that_logs_logs_the_batches_of_a_split(split, callback, run_cli, tmp_path):
    options = f"--step_log_path run/steps.log --split {split}"
    line = f"--epochs 3 --output run {PARTS} {TEST} {OPTIMIZER} cli callbacks {callback} {options}"
    run_cli(f"{line} cli train cli test")
    found = lines(tmp_path / "run/steps.log")
    assert [entry["batch"] for entry in found] == [1] * (3 if split == "validation" else 1)
    assert {entry["split"] for entry in found} == {split}
    assert "--stc counts training steps" in run_cli(f"{line} --stc 2 cli train", code=2).err


@pytest.mark.parametrize(("word", "split"), [("train", "train"), ("valid", "validation"), ("test", "test")])
@pytest.mark.parametrize("callback", ["default", "embedding", "cdists-decouple"])
def test_its_words_for_a_split_are_told_what_they_are_now(word, split, callback, run_cli):
    assert f"Write --split {split}." in run_cli(f"cli callbacks {callback} {word}callback cli train", code=2).err


def test_an_option_that_changes_nothing_is_left_out_and_said(run_cli, tmp_path):
    for words in ("--buffsize 0", "--buffsize=0", "--buffsize", "--Buff-Size 0"):
        err = run_cli(f"--dump-config c.json cli callbacks embedding {words} --path x cli train").err
        assert "is left out: records are written with each checkpoint" in err
        assert "callbacks embedding --split train" in (tmp_path / "c.json").read_text()


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("--device cpu cli optimizers adamw --device cpu cli train --device cpu", 0, ""),
        ("cli optimizers adamw --device cpu cli train --device cpu", 0, "--device belongs before the first `cli`"),
        ("cli optimizers adamw --device cpu cli train --device auto", 2, "--device is said twice"),
        ("--steps 3 cli optimizers adamw --epochs 1 cli train", 2, "--epochs is said twice"),
        ("--steps 3 cli optimizers adamw --steps 3 cli train", 0, ""),
    ],
)
def test_a_setting_may_be_said_again_with_the_same_value(line, code, words, run_cli):
    assert words in run_cli(f"--dump-config c.json {line}", code=code).err


def test_the_constant_schedule_goes_on_where_it_was(run_cli):
    assert [Constant(warmup=3, last_epoch=1).factor(step) for step in range(3)] == [0.75, 1.0, 1.0]
    assert [Constant(warmup=3).factor(step) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    schedule = "cli schedulers constant --warmup 30000 --last_epoch 7"
    run_cli(f"--compile False --epochs 2 {PARTS} {OPTIMIZER} {schedule} cli train")
    assert "--last_epoch must be at least -1, not -2." in run_cli("cli schedulers constant --last_epoch -2", code=2).err


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh", "sigmoid"])
@pytest.mark.parametrize(
    "model",
    [
        "transformer --heads 1 --feedforward_size 4 --dropout .1",
        "transformerwt --heads 1 --feedforward_size 4",
        "mlpwt --tokenwise_feedforward_size 4 --channelwise_feedforward_size 4",
    ],
)
def test_its_networks_have_its_activations(model, activation, run_cli, tmp_path):
    network = f"cli xor model {model} --layers 1 --embedding_size 4 --activation {activation}"
    run_cli(f"--epochs 3 --output run {DATA} {VALID} {network} {LOSS} {OPTIMIZER} cli train")
    facts = json.loads((tmp_path / "run/run.json").read_text())["facts"]
    assert facts["mode"] == "eager"
    assert lines(tmp_path / "run/metrics.jsonl")[-1]["loss"] > 0


def test_a_run_with_dropout_is_resumed_to_the_bit_and_its_seeds_train_apart(run_cli, tmp_path):
    network = "cli xor model transformer --heads 1 --feedforward_size 4 --layers 1 --embedding_size 4 --dropout .3"
    line = f"{DATA} {VALID} {network} {LOSS} {OPTIMIZER} cli savers default-saver --resume cli train"
    run_cli(f"--seed 2 --epochs 6 --output whole {line}")
    for epochs in (3, 6):
        run_cli(f"--seed 2 --epochs {epochs} --output parts {line}")
    ends = [lines(tmp_path / folder / "metrics.jsonl")[-1]["loss"] for folder in ("whole", "parts")]
    assert ends[0] == ends[1]
    run_cli(f"--seeds 1..2 --epochs 6 --output seeds {line}")
    (end,) = [lines(path)[-1]["loss"] for path in tmp_path.glob("seeds/2-*/metrics.jsonl")]
    assert end == ends[0]
    assert "--dropout must be from 0 to below 1, not 1." in run_cli("cli xor model transformer --dropout 1", code=2).err


# -- the study on text -----------------------------------------------------------------------------------------------


def test_the_text_of_the_original_and_its_network(run_cli, tmp_path):
    pytest.importorskip("datasets")
    words = ["the cat sat on a mat near the old house", "a dog ran to the river and back again", "birds sing in trees"]
    rows = "".join(json.dumps({"text": f"{words[i % 3]} number {i}"}) + "\n" for i in range(200))
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "train.jsonl").write_text(rows)
    data = f"cli mlm dataset default --of {folder} --drop_last False --batch_size 16 --map_batch_size 1000"
    data += " --max_length 16 --mlm_prb .2 --swp_prb .4 --doubles 4"
    network = "--heads 2 --layers 1 --embedding_size 8 --feedforward_size 16 --activation gelu --dropout 0"
    for word in ("transformer", "transformerwt"):
        err = run_cli(
            f"--seed 42 --steps 3 --output {word} cli tokenizer wordpiece --vocab_size 100 --lowercase "
            f"{data} --shuffle True --split train {data} --shuffle False --split validation "
            f"cli mlm model {word} {network} {LOSS} {OPTIMIZER} cli mlm callbacks cdists --stc 1 cli train"
        ).err
        assert "Note: --map_batch_size is left out: text is read as a stream." in err
        assert "Note: --drop_last is left out" in err
        (part,) = [
            part
            for part in json.loads((tmp_path / word / "run.json").read_text())["sentence"]["parts"]
            if part.startswith("mlm dataset") and "--split train" in part
        ]
        assert "--mask_probability 0.2" in part
        assert "--swap 0.4" in part
    tied = json.loads((tmp_path / "transformerwt/run.json").read_text())["facts"]["parameters"]
    untied = json.loads((tmp_path / "transformer/run.json").read_text())["facts"]["parameters"]
    assert untied > tied


def test_a_tokenizer_that_cannot_be_had_is_one_line(run_cli, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    line = f"cli mlm dataset default --tokenizer {tmp_path}/none cli mlm model transformer {LOSS} {OPTIMIZER} cli train"
    (err,) = run_cli(line, code=2).err.strip().splitlines()
    assert "of `cli mlm dataset default`" in err
    assert "cli tokenizer wordpiece" in err


# -- its files -------------------------------------------------------------------------------------------------------

LOG = (
    '{"lebel":"INFO", "time":"2024-01-02 03:04:05,%03d", "message":{"epoch":%d, "step":1, "accuracy":%s, "loss":%s}}\n'
)


def test_accplot_draws_its_epoch_logs(run_cli, tmp_path, monkeypatch):
    """As `logging.FileHandler` writes them: with its misspelt key, from epoch 0 on, numbers as Python prints them."""
    monkeypatch.setenv("COLUMNS", "200")
    for seed in (42, 43):
        for kind in ("transformer", "transformerwt"):
            folder = tmp_path / f"{seed}-{kind}"
            folder.mkdir()
            values = [(100 * i, 0.4 + 0.02 * i + (seed - 42) / 10, 1.0) for i in range(10)]
            text = "".join(LOG % (i, epoch, accuracy, loss) for i, (epoch, accuracy, loss) in enumerate(values))
            text += LOG % (0, 1000, 0.62 + (seed - 42) / 10, "nan") + '{"lebel":"INFO", "time":"2024-'
            (folder / "valid_epoch.log").write_text(text)
    inputs = " ".join(
        f"--inputs {tmp_path}/{seed}-{kind}/valid_epoch.log '{label} weight tying'"
        for seed in (42, 43)
        for kind, label in (("transformer", "✗"), ("transformerwt", "✓"))
    )
    options = "--etc 1 --window 1 --cutoff 0 --hline 0.7 black '--' --showconf True --xlim 0 1000 --ylim 0 1"
    out = run_cli(f"cli accplot --title Accuracy {inputs} {options} --output acc.pdf").out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    assert ["✗ weight tying", "1000", "2", "0.670", "0.670", "0.620-0.720"] in rows
    assert imread(tmp_path / "acc.png").ndim == 3
    run_cli(f"cli accplot {inputs} --metric loss --output loss.pdf")  # the last one diverged
    assert "is no number" not in out


def test_view_draws_its_distances(run_cli, tmp_path):
    distances = numpy.abs(numpy.random.default_rng(0).normal(size=(50, 7, 7))).astype(numpy.float32)
    for seed in (42, 43):
        numpy.save(tmp_path / f"{seed}.npy", distances)
    run_cli("cli view --title '✓ weight tying' --path view.pdf --etc 1 --ylim "
        "0 4 --indexes 0 1 '✗ distributional hyp.' "
        "--indexes 2 3 '✓ distributional hyp.' 42.npy 43.npy")  # fmt: skip
    run_cli("cli viewall --path 42.npy --special 2 3 red --special 1 0 blue --output all.pdf")
    assert imread(tmp_path / "view.png").ndim == imread(tmp_path / "all.png").ndim == 3
    run_cli("cli viewall --path 42.npy")
    assert (tmp_path / "figures/all_distances.png").exists()
    for words, wrong in (
        ("--special 2 9 red", "--special 2 9 'red' names another"),
        ("--special 2 3 rouge", "--special 2 3 rouge: no such colour"),
    ):
        (err,) = run_cli(f"cli viewall --path 42.npy {words}", code=2).err.strip().splitlines()
        assert re.search(re.escape(wrong), err)
    assert "--path" in run_cli("cli viewall", code=2).err


def test_the_distances_of_its_study_on_text_are_drawn(run_cli, tmp_path, monkeypatch):
    """As its makefile says: a file for each figure, 100 words and their doubles."""
    monkeypatch.setenv("COLUMNS", "200")
    random = numpy.random.default_rng(0)
    for folder in ("42-transformer", "42-transformerwt"):
        distances = 2 + random.random((6, 200, 200), dtype=numpy.float32)
        for word in range(100):
            distances[:, word, word + 100] = numpy.linspace(2, 0.5, 6)
        (tmp_path / folder).mkdir()
        for side in ("input", "output"):
            numpy.save(tmp_path / folder / f"{side}_cdists", distances)
    for path, panel in (
        ("42-transformerwt/input_cdists.npy", "Tied: one embedding"),
        ("42-transformer/input_cdists.npy", "Untied: input embeddings"),
        ("42-transformer/output_cdists.npy", "Untied: output embeddings"),
    ):
        out = run_cli(f"cli mlm view --title '✗ weight tying' --path out.pdf --etc 1 --ylim 0 5 {path}").out
        assert imread(tmp_path / "out.png").ndim == 3
        rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
        assert [f"{panel}, doubles", "5", "1", "0.500", "0.500", "0.500-0.500"] in rows
        assert float(next(row for row in rows if row[0] == f"{panel}, random")[3]) > 2
    numpy.save(tmp_path / "odd.npy", numpy.ones((2, 3, 3)))
    assert (
        "expected (records, symbols, symbols), words and as many doubles" in run_cli("cli mlm view odd.npy", code=2).err
    )
    assert "--etc must be at least 1, not 0." in run_cli("cli mlm view --etc 0 odd.npy", code=2).err
