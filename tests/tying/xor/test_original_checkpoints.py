"""Runs go on from the checkpoints of the study's original code."""

import itertools
import json

import pytest
import torch
from original_networks import NETWORKS, begun, saved, step

from semeqv.runs import checkpoint
from semeqv.tying.xor.samples import XorSamples

DATA = "cli xor dataset default --size 7 --zero_dst .1 .9 --one_dst .5 .5 --batch_size 1024 --drop_last False"
SAMPLES = dict(size=7, zero_distribution=[0.1, 0.9], one_distribution=[0.5, 0.5], batch_size=1024, drop_last=False)
WORDS = [word + suffix for word in NETWORKS for suffix in ("", "wt")]
OPTIMIZER = "cli optimizers adamw --learning_rate 5e-4 --weight_decay .1 --eps 1e-12"


def sentence(word, steps, path, options="--allow_pickle", *, settings="--seed 42 --compile False", size=4):
    network = f"cli xor model {word} --layers 2 --embedding_size {size} {NETWORKS[word.removesuffix('wt')][1]}"
    return (
        f"{settings} --steps {steps} --output run {DATA} {DATA} --split validation {network} "
        f"cli loss cross-entropy {OPTIMIZER} cli schedulers cosine --tmax 100 --lrmin 1e-5 "
        f"cli savers default-saver --savebest --restorepath {path} {options} cli train"
    )


@pytest.fixture(scope="module")
def batches():
    return list(itertools.islice(XorSamples(**SAMPLES).stream(42), 40))


def original(word, batches, tmp_path, steps=30):
    """Train the original for some steps on our batches, and save it as it does."""
    network, optimizer, scheduler = begun(word)
    for batch in batches[:steps]:
        step(network, optimizer, scheduler, batch)
    path = tmp_path / "modelbest.pt"
    torch.save(saved(network, optimizer, steps - 1, (0.5, 1.25)), path)
    return network, optimizer, scheduler, path


@pytest.mark.parametrize("word", WORDS)
def test_a_run_goes_on_as_the_original_would(word, batches, run_cli, tmp_path):
    """Ten steps after thirty of the original are, to rounding, the ten that it would have taken itself."""
    network, optimizer, scheduler, path = original(word, batches, tmp_path)
    err = run_cli(sentence(word, 40, path)).err
    assert f"Restored {path}: 30 epochs, accuracy 0.5000, loss 1.2500." in err
    for batch in batches[30:40]:
        step(network, optimizer, scheduler, batch)
    ours = checkpoint.read(checkpoint.locate(tmp_path / "run", "last")).weights
    theirs = network.state_dict()
    for name in ("input_embedding.weight", "output_embedding.weight"):
        torch.testing.assert_close(ours[name], theirs[name], atol=2e-5, rtol=1e-4)
    start = begun(word)[0].state_dict()["input_embedding.weight"]
    assert (ours["input_embedding.weight"] - start).abs().max() > 1e-3
    assert json.loads((tmp_path / "run/run.json").read_text())["steps"] == 40


def test_a_replica_of_a_program_goes_on_too(batches, run_cli, tmp_path, monkeypatch):
    """The program without its compiler, which takes long to start."""
    monkeypatch.setattr("semeqv.train.replicas.compiled_program", lambda function: function)
    ends = []
    for settings in ("--seed 42 --compile False", "--seed 42 --compile True --overwrite"):
        _, _, _, path = original("transformerwt", batches, tmp_path)
        run_cli(sentence("transformerwt", 33, path, settings=settings))
        ends.append(checkpoint.read(checkpoint.locate(tmp_path / "run", "last")).weights["input_embedding.weight"])
    torch.testing.assert_close(*ends, atol=2e-5, rtol=1e-4)


def test_the_best_of_the_original_stays_the_best_until_it_is_beaten(batches, run_cli, tmp_path):
    for value, best, step_of_best in (((0.99, 0.1), None, 30), ((0.5, 1.0), (0.6, 1.0), 31), ((0.0, 9.0), None, 31)):
        network, optimizer, _, path = original("transformer", batches, tmp_path)
        torch.save(saved(network, optimizer, 29, value, best), path)
        run_cli(sentence("transformer", 31, path, settings="--seed 42 --compile False --overwrite"))
        assert checkpoint.locate(tmp_path / "run", "best").name == checkpoint.name_of(step_of_best)


@pytest.mark.parametrize("word", ["transformer", "lstmwt"])
def test_its_weights_are_tested_as_the_original_tests_them(word, batches, run_cli, tmp_path):
    network, *_, path = original(word, batches, tmp_path)
    line = sentence(word, 5, path).replace("--split validation", "--split test --draws 200")
    line = line.replace("cli train", "cli test").replace(f"{DATA} ", "", 1)  # it needs no training set
    run_cli(line)
    (found,) = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    (batch,) = XorSamples(**SAMPLES, split="test", draws=200).batches()
    ids = batch["input_ids"].contiguous().long()
    with torch.no_grad():
        logits, labels = network(ids)[ids == 6], batch["labels"].long()
    assert found["accuracy"] == pytest.approx(float((logits.argmax(-1) == labels).double().mean()))
    assert found["loss"] == pytest.approx(float(torch.nn.functional.cross_entropy(logits, labels)), rel=1e-5)
    assert found["step"] == 30
    assert "is a pickle. Say --allow_pickle" in run_cli(line.replace("--allow_pickle", ""), code=2).err


def test_own_weights_are_tested_from_where_they_are_restored(batches, run_cli, tmp_path):
    *_, path = original("transformer", batches, tmp_path, steps=1)
    run_cli(sentence("transformer", 7, path))
    line = sentence("transformer", 7, tmp_path / "run", "").replace("--split validation", "--split test")
    run_cli(line.replace("cli train", "cli test").replace("--output run", "--output other"))
    (found,) = [json.loads(line) for line in (tmp_path / "other/metrics.jsonl").read_text().splitlines()]
    assert checkpoint.locate(tmp_path / "run").name == checkpoint.name_of(found["step"])


class Code:
    def __reduce__(self):
        return print, ("code ran",)


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, "", "is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code."),
        ({"value": Code()}, "--allow_pickle", "holds more than tensors and plain values: it is not opened."),
        ({"model": {}}, "--allow_pickle", "embeddings of the checkpoint are not tied"),
        ({"optimsd": 3}, "--allow_pickle", "is no checkpoint of the study's original code (TypeError"),
        ({"epoch": None}, "--allow_pickle", "is no checkpoint of the study's original code (TypeError"),
    ],
)
def test_what_cannot_be_gone_on_from_is_one_line(change, options, words, batches, request):
    run_cli, tmp_path = (request.getfixturevalue(name) for name in ("run_cli", "tmp_path"))
    network, optimizer, _, path = original("transformerwt", batches, tmp_path, steps=1)
    torch.save(saved(network, optimizer, 0, (0.5, 1.0)) | change, path)
    outcome = run_cli(sentence("transformerwt", 5, path, options), code=2)
    (line,) = outcome.err.strip().splitlines()
    assert words in line
    assert "code ran" not in outcome.out
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("word", "size", "words"),
    [
        ("transformer", 4, "The embeddings of the checkpoint are tied"),
        ("lstmwt", 4, "it is of another model"),
        ("transformerwt", 8, "input_embedding.weight is (7, 4) there and (7, 8) here."),
    ],
)
def test_another_model_is_refused(word, size, words, batches, request):
    run_cli, tmp_path = (request.getfixturevalue(name) for name in ("run_cli", "tmp_path"))
    *_, path = original("transformerwt", batches, tmp_path, steps=1)
    (line,) = run_cli(sentence(word, 5, path, size=size), code=2).err.strip().splitlines()
    assert words in line
    assert not (tmp_path / "run").exists()


def test_other_files_and_runs_are_refused(batches, run_cli, tmp_path):
    *_, path = original("transformer", batches, tmp_path, steps=1)
    (tmp_path / "text.pt").write_text("no weights")
    assert "is no file of torch.save" in run_cli(sentence("transformer", 5, "text.pt"), code=2).err
    torch.save({"model": {}}, tmp_path / "other.pt")
    assert "it lacks optimsd, epoch, value, bestv." in run_cli(sentence("transformer", 5, "other.pt"), code=2).err
    line = sentence("transformer", 5, path).replace(OPTIMIZER, "cli optimizers sgd --learning_rate .1")
    assert "The checkpoint has the state of Adam." in run_cli(line, code=2).err
    several = sentence("transformer", 3000, path, settings="--seeds 1..2")
    assert "is of one run, and these are 2. Say one --seed." in run_cli(several, code=2).err
