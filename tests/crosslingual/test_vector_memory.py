"""How much memory vectors take, in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from crosslingual.safetensors_reader import Entry
from crosslingual.safetensors_writer import write_tensors

MOST = 100  # MiB above the interpreter
PROGRAM = """
import json, sys
peak = lambda: int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1024
before = peak()  # of the bare interpreter: numpy counts
from crosslingual import Checkpoint, slerp, ties
base, tuned, task = map(Checkpoint.open, ("base", "tuned", "task"))
tau, other = tuned - base, task - base
made = {
    "vector": lambda: tau.save("vector"),
    "linear": lambda: (task + 0.5 * (tuned - base)).save("linear"),
    "ties": lambda: (base + ties([tau, other])).save("ties"),
    "dare": lambda: (base + tau.dropped(0.9, 0)).save("dare"),
    "slerp": lambda: slerp(task, tuned, 0.5).save("slerp"),
    "cosine": lambda: tau.cosine(other),
}
made[sys.argv[1]]()
print(json.dumps([before, peak()]))
"""
NAMES = {"embeddings.word_embeddings.weight": (400_000, 256), "encoder.layer.0.output.dense.bias": (1000,)}


def write_model(folder, seed):
    """A body of 410 MB, nearly all of it one tensor, written a piece at a time."""
    generator = numpy.random.default_rng(seed)
    entries = {name: Entry("F32", shape) for name, shape in NAMES.items()}

    def pieces(name):
        left = entries[name].count
        while left:
            yield generator.standard_normal(min(left, 2**20), dtype=numpy.float32)
            left -= min(left, 2**20)

    folder.mkdir()
    write_tensors(folder, "model", entries, pieces)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 400_000}))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_no_operation_takes_more_than_a_hundred_mebibytes(tmp_path):
    for seed, name in enumerate(("base", "tuned", "task")):
        write_model(tmp_path / name, seed)
    for what in ("vector", "linear", "ties", "dare", "slerp", "cosine"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, what], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        before, peak = json.loads(done.stdout)
        assert peak - before < MOST, what
        if (tmp_path / what).exists():
            assert sum(file.stat().st_size for file in (tmp_path / what).glob("*.safetensors")) > 400_000_000
