"""Several processes end where one does; what one of them suffers ends all."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.train import strategies
from semeqv.train.compute import torch_device
from semeqv.train.strategies import weights_of, with_tied
from tests import copies
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID
from tests.train import processes as both

LINE = f"{DATA} {VALID} {MODEL} {LOSS} {OPTIMIZER} cli savers default-saver --etc 5 --savebest --resume"
SETTINGS = "--compile False --clip 1 --epochs 60 --etv 4"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
ALONE = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
ENVIRONMENT = ALONE | {"OMP_NUM_THREADS": "1"}


def launched(folder, line):
    """Start a sentence by torchrun in two processes that are started from nothing."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([*TORCHRUN, "-m", "semeqv", *line.split()], cwd=folder, env=ENVIRONMENT, **streams)


def start(folder, line, processes=2):
    """Start a sentence, or a function, in one process or two that know of each other as those of torchrun do."""
    known = copies.of_several(2) if processes == 2 else [{}]
    return [copies.start(line, folder, names, output=f"{rank}.output") for rank, names in enumerate(known)]


def run_cli(folder, line, processes=2, code=0):
    """Run a sentence or a function to its end, and return what it printed."""
    codes, said = zip(*(process.end() for process in start(folder, line, processes)))
    assert set(codes) == {code}, said
    return "".join(said)


def wait_for(path, process):
    """Wait until there is a file."""
    while not path.exists():
        assert process.poll() is None, path
        time.sleep(0.005)


def digest(folder, step=60):
    """The weights at the end, and the metrics."""
    weights = folder / f"checkpoints/step-{step:08d}/model.safetensors"
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in (weights, folder / "metrics.jsonl")]


def script(folder, what, processes):
    """Run a function of processes.py."""
    run_cli(folder, partial(both.main, what, folder), processes)
    return json.loads((folder / f"{what}.json").read_text())


def test_two_processes_have_the_losses_of_one(tmp_path):
    # A tied GPT-2 with a parameter that is not used; five rows, with unequal numbers of labels, for two processes.
    (tmp_path / "one").mkdir(), (tmp_path / "two").mkdir()
    one, two = (script(tmp_path / name, "everything", i) for i, name in enumerate(("one", "two"), start=1))
    assert two.pop("exchanges") == {"in three steps": 3, "unused found": True}  # though a step has four batches
    for strategy in ("ddp-1", "ddp-3", "fsdp-1", "fsdp-3"):
        assert len(one[strategy]) == 51
        assert one[strategy][-1] < one[strategy][0] / 1.5
        assert two[strategy] == pytest.approx(one[strategy], rel=2e-6)
    state = torch.load(tmp_path / "two/fsdp-1/checkpoints/step-00000050/state.pt", weights_only=True)
    assert state["learner"]["optimizer"]["state"] == {}  # it is in the shards


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_killed_and_resumed_two_processes_end_where_uninterrupted_ones_do(tmp_path, strategy):
    settings = f"{SETTINGS} --strategy {strategy} --processes 2"
    run_cli(tmp_path, f"{settings} --output whole {LINE} cli train")
    processes = start(tmp_path, f"{settings} --output killed {LINE} cli train")
    wait_for(tmp_path / "killed/checkpoints/step-00000010", processes[0])
    for process in processes:
        process.process.kill()
    for process in processes:
        process.end()
    assert not (tmp_path / "killed/checkpoints/step-00000060").exists()
    said = run_cli(tmp_path, f"{settings} --output killed {LINE} cli train")
    assert said.count("Resumed") == 1
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")

    # One process opens what two have written, and measures what it measures after training alone.
    test = f"{DATA} {VALID.replace('validation', 'test')} {MODEL} {LOSS} cli test"
    opened = run_cli(tmp_path, f"--output killed {test}", processes=1)
    run_cli(tmp_path, f"{SETTINGS} --output alone {LINE} cli train", processes=1)
    alone = run_cli(tmp_path, f"--output alone {test}", processes=1)
    assert [float(word) for word in opened.split()[-2:]] == pytest.approx([float(word) for word in alone.split()[-2:]])

    # It cannot go on as another number of processes, and says what differs.
    said = run_cli(tmp_path, f"{SETTINGS} --epochs 70 --output killed {LINE} cli train", processes=1, code=2)
    assert "world size was 2, is 1" in said


def test_asked_to_end_both_save_and_go_on_later(tmp_path):
    settings = f"{SETTINGS} --epochs 3000"
    process = launched(tmp_path, f"{settings} --output run {LINE} cli train")
    wait_for(tmp_path / "run/checkpoints/step-00000005", process)
    os.kill(process.pid, signal.SIGTERM)  # to the launcher, which passes it on
    said, _ = process.communicate(timeout=60)
    step = int(re.search(r"Stopped after step (\d+), saved", said)[1])
    assert (tmp_path / f"run/checkpoints/step-{step:08d}/MANIFEST.json").exists()
    assert f"at step {step}" in run_cli(tmp_path, f"{SETTINGS} --epochs {step + 2} --output run {LINE} cli train")


def test_when_one_process_dies_the_other_ends_too(tmp_path):
    process = launched(tmp_path, f"{SETTINGS} --epochs 100000 --timeout .5 --output run {LINE} cli train")
    wait_for(tmp_path / "run/checkpoints/step-00000005", process)
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(children) == 2
    os.kill(int(children[1]), signal.SIGKILL)
    started = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert time.monotonic() - started < 35
    for child in children:
        assert not Path(f"/proc/{child}").exists()
    assert "Resumed" in run_cli(tmp_path, f"{SETTINGS} --epochs 1 --output run {LINE} cli train")


def test_processes_wait_for_one_that_prepares_and_make_once_what_they_share(tmp_path, monkeypatch):
    # Both say that they are the first of their machine, as on two machines with a process each.
    monkeypatch.setattr(copies, "of_several", partial(copies.of_several, machines=2))
    first, second = script(tmp_path, "patience", 2)
    assert first == [True, "prepared", "made by 0", 0, "no room"]
    assert second == [True, "prepared", "made by 1", 0, "no room"]


def test_shards_are_gathered_in_bf16_and_kept_in_fp32(tmp_path):
    found = script(tmp_path, "mixed", 2)
    assert found["while computing"] == ["torch.bfloat16"]
    assert found["kept"] == ["torch.float32"]
    assert 0 < found["loss"] < 10


MACHINES = ("a", "b", "c")  # two would add the same two numbers in any order


def on_machines(folder, line, code=0):
    """Run a sentence as a process on each of several machines, which share no disk; returns what they said."""
    known = zip(MACHINES, copies.of_several(len(MACHINES), machines=len(MACHINES)))
    processes = [copies.start(line, folder / name, names) for name, names in known]
    codes, said = zip(*(process.end(200) for process in processes))
    assert set(codes) == {code}, said
    return said


def recorded(folder):
    """The losses of a run, in their order."""
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_machines_that_share_no_disk_train_and_resume(tmp_path):
    data = "cli tokenizer bpe --vocab_size 300 cli dataset babel --documents 40 --block_size 16 --batch_size 7"
    parts = f"{data} cli model gpt2 --layers 2 --heads 2 --embedding_size 16 --dropout 0 cli optimizers adamw"
    line = f"--device cpu --record_steps 1 --output run {parts} cli savers default-saver --resume cli train"
    on_machines(tmp_path, f"--steps 4 {line}")
    on_machines(tmp_path, f"--steps 8 {line}")
    on_machines(tmp_path, f"--steps 8 {line.replace('--output run', '--output whole')}")
    for name in MACHINES:  # each has a cache of its own, the first has the run
        assert len(list((tmp_path / name / "cache/tokens").glob("*/made-from.json"))) == 1
        assert (tmp_path / name / "run/metrics.jsonl").exists() is (name == "a")
    run_cli(tmp_path, f"--steps 8 {line}", processes=1)
    assert len(recorded(tmp_path / "run")) == 8
    assert recorded(tmp_path / "a/run") == recorded(tmp_path / "a/whole")
    assert recorded(tmp_path / "a/run") == pytest.approx(recorded(tmp_path / "run"), rel=1e-5)
    other = line.replace("--output run", "--output other")
    refused = on_machines(tmp_path, f"--strategy fsdp --steps 3 {other}", code=2)
    assert "Name an --output on a disk that all machines share" in refused[0]


def test_a_wrong_number_of_processes_is_refused(tmp_path, monkeypatch):
    process = launched(tmp_path, f"--processes 3 {LINE} cli train")  # it ends the other when the first has spoken
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert said.count("Error: --processes 3 asks for 3 processes, but there are 2.") == 1
    assert not list(tmp_path.iterdir())
    World().compare(None)
    with pytest.raises(UserError, match=r"asks for 4 processes, but there is 1. .*torchrun --nproc_per_node 4"):
        World().compare(4)
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    with pytest.raises(UserError, match="srun started 4 processes that do not know of each other"):
        World().compare(None)


def test_rows_are_shared_without_overlap():
    batch = {"input_ids": torch.arange(7)[:, None], "scale": torch.tensor(2.0), "matrix": torch.zeros(3, 3)}
    parts = [World(rank, 3).shard_batch(batch) for rank in range(3)]
    assert torch.cat([part["input_ids"] for part, _ in parts]).equal(batch["input_ids"])
    assert all(part["matrix"].shape == (3, 3) and part["scale"] == 2 for part, _ in parts)
    few = [World(rank, 4).shard_batch({"x": torch.arange(3)}) for rank in range(4)]
    assert [counts for _, counts in few] == [False, True, True, True]
    assert [part["x"].tolist() for part, _ in few] == [[0], [0], [1], [2]]


def test_each_process_has_a_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert torch_device("auto", World(1, 2, 1)) == torch.device("cuda:1")
    assert torch_device("cuda:1", World()) == torch.device("cuda:1")
    with pytest.raises(UserError, match="there are 2 processes; say --device cuda"):
        torch_device("cuda:0", World(1, 2, 1))
    with pytest.raises(UserError, match="torch sees 2 CUDA devices here for process 2"):
        torch_device("cuda", World(2, 3, 2))


def test_tied_weights_are_saved_once():
    model = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 3, bias=False), "b": torch.nn.Linear(2, 3, bias=False)})
    model["b"].weight = model["a"].weight
    saved = weights_of(model)
    assert list(saved) == ["a.weight"]
    assert saved["a.weight"].data_ptr() != model["a"].weight.data_ptr()
    assert set(with_tied(model, saved)) == {"a.weight", "b.weight"}
    assert weights_of(model, keep=False) == {}


def test_only_blocks_that_are_called_are_sharded_apart():
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)])

        def forward(self, x):
            return self.layers[1](x) @ self.layers[0].weight

    model = Model()
    assert strategies.blocks(model, lambda: model(torch.ones(1, 2))) == [model.layers[1]]
    model._no_split_modules = ["Linear"]
    assert len(strategies.blocks(model, lambda: None)) == 2
