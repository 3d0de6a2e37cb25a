"""Checkpoints: whole or absent, never silently wrong; resumed runs end where uninterrupted ones do."""

import hashlib
import json
import os
import random
import time

import pytest
import torch

from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from tests import copies
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID

LINE = f"{DATA} {VALID} {MODEL} {LOSS} {OPTIMIZER} cli schedulers cosine --tmax 50 cli callbacks cdists --etc 3"


def example(step=1):
    generator = torch.Generator().manual_seed(step)
    return checkpoint.Checkpoint(
        {"w": torch.randn(50, generator=generator)}, {"learner": {"m": torch.ones(2)}}, {"step": step}
    )


def digest(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.name in ("model.safetensors", "metrics.jsonl") or path.suffix == ".npy"
    }


def test_a_checkpoint_comes_back(tmp_path):
    checkpoint.write(tmp_path / "step-00000001", example())
    found = checkpoint.read(tmp_path / "step-00000001")
    assert torch.equal(found.weights["w"], example().weights["w"])
    assert torch.equal(found.state["learner"]["m"], torch.ones(2))
    assert found.trainer == {"step": 1}
    assert not list(tmp_path.glob(".*"))


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    checkpoint.write(tmp_path / "step-00000001", example())
    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(UserError, match=r"No space left on device. Earlier checkpoints are intact"):
        checkpoint.write(tmp_path / "step-00000002", example(2))
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_a_pickle_is_never_loaded(tmp_path):
    checkpoint.write(tmp_path / "step-00000001", example())

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/executed",)

    folder = tmp_path / "step-00000001"
    torch.save({"learner": Evil()}, folder / "state.pt")
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    manifest["files"]["state.pt"]["sha256"] = checkpoint.sha256(folder / "state.pt")
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    with pytest.raises(Exception, match=r"[Ww]eights"):
        checkpoint.read(folder)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("seeds", ["--seed 3", "--seeds 3,4"])
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(run_cli, tmp_path, seeds):
    saver = "cli savers default-saver --savebest --etc 4 --resume"
    run_cli(f"{seeds} --epochs 20 --etv 3 --output whole {LINE} {saver} cli train")
    run_cli(f"{seeds} --epochs 7 --etv 3 --output parts {LINE} {saver} cli train")
    (tmp_path / "parts").rename(tmp_path / "moved")  # a run may be moved between two sessions
    err = run_cli(f"{seeds} --epochs 20 --etv 3 --output moved {LINE} {saver} cli train").err
    assert "Resumed" in err
    whole, parts = digest(tmp_path / "whole"), digest(tmp_path / "moved")
    ends = [name for name in whole if "step-00000020" in name or name.endswith(".npy")]
    assert len(ends) == 3 * (2 if "," in seeds else 1)
    assert {name: whole[name] for name in ends} == {name: parts[name] for name in ends}


def test_killed_at_any_moment_it_resumes_to_the_same_end(tmp_path):
    saver = "cli savers default-saver --savebest --etc 2 --resume"
    line = f"--epochs 60 --etv 3 --threads 1 --output {{}} {LINE} {saver} cli train"
    code, said = copies.run(line.format("whole"), tmp_path)
    assert code == 0, said
    rng, kills = random.Random(1), 0
    for _ in range(30):
        process = copies.start(line.format("killed"), tmp_path)
        checkpoints = tmp_path / "killed/checkpoints"
        before = len(list(checkpoints.glob("*"))) if checkpoints.exists() else 0
        while process.poll() is None and not (checkpoints.exists() and len(list(checkpoints.glob("*"))) != before):
            time.sleep(0.005)
        time.sleep(rng.random() * 0.15)
        if process.poll() is not None:
            break
        process.kill()
        kills += 1
        if kills == 3:
            break
    code, said = copies.run(line.format("killed"), tmp_path)
    assert code == 0, said
    assert kills
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ("--learning_rate 0.01", "--learning_rate 0.02"),
            "cli optimizers adamw was --learning_rate 0.01, is --learning_rate 0.02",
        ),
        (("--seed 3", "--seed 4"), "seed was 3, is 4"),
        (("--feedforward_size 4", "--feedforward_size 8"), "model was"),
        (("--zero_dst .1 .9", "--zero_dst .2 .8"), "--zero_dst 0.1 0.9, is --zero_dst 0.2 0.8"),
        (("--batch_size 64", "--batch_size 4"), "steps in an epoch was 1, is 7"),
        (("--seed 3", "--seed 3 --precision bf16"), "precision was fp32, is bf16"),
    ],
)
def test_a_changed_run_is_not_resumed(run_cli, tmp_path, change, words):
    line = f"--seed 3 --epochs 3 --output run {LINE} cli savers default-saver --resume cli train"
    run_cli(line)
    before = digest(tmp_path / "run")
    assert words in run_cli(line.replace(*change).replace("--epochs 3", "--epochs 5"), code=2).err
    assert digest(tmp_path / "run") == before


def test_bars_epochs_and_callbacks_may_change(run_cli):
    line = f"--seed 3 --output run {LINE} cli savers default-saver --resume cli train"
    run_cli(f"--epochs 3 {line}")
    run_cli(f"--epochs 5 --no-epochbar {line} cli callbacks log --split validation --epoch_log_path x.jsonl")


def test_the_best_is_kept_and_ties_go_to_the_lower_loss():
    from types import SimpleNamespace

    import numpy

    from semeqv.train.saver import DefaultSaver

    saver = DefaultSaver(savebest=True).build()
    module = torch.nn.Linear(1, 1)
    trainer = SimpleNamespace(seeds=[1], step=0, made=SimpleNamespace(weights=lambda r: dict(module.state_dict())))
    best = []
    for step, (accuracy, loss) in enumerate(
        [(float("nan"), 1.0), (0.5, 2.0), (0.6, 3.0), (0.6, 2.5), (0.6, 2.7), (0.5, 0.1), (float("nan"), 0.0)]
    ):
        trainer.step = step
        saver.note(trainer, {"accuracy": numpy.array([accuracy]), "loss": numpy.array([loss])})
        best.append(saver.best[0] and saver.best[0]["step"])
    assert best == [None, 1, 2, 3, 3, 3, 3]
    lowest = DefaultSaver(savebest=True, mode="min").build()
    assert lowest.metric == "loss"


def test_a_metric_that_is_not_measured_is_named(run_cli):
    assert (
        "--savebest judges by 'f1'"
        in run_cli(f"{LINE} cli savers default-saver --savebest --metric f1 cli train", code=2).err
    )
