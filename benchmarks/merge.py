"""Adding a vector to a model, against the dictionaries of tensors that one would write by hand, and against mergekit.

Models have random weights: one of the size of xlm-roberta-base, 278M parameters in fp32, in one file, and one of that
of TinyLlama, 1.0B parameters in bf16, in shards. All make a folder that `from_pretrained` opens, of three such
folders. Each runs in a process of its own, from its start to its end, imports included; both sides alternate.
Dictionaries are those of models opened by `from_pretrained`, saved by `save_pretrained`. mergekit (where pip has
installed it) computes `task_arithmetic` in fp32, on one thread as ours does. Every tensor must be the same to the bit,
but for heads, which mergekit merges too. Ours also syncs what it wrote to the disk.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.paired import Row, summary

BARE = 'print(0, open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])\n'
IMPORTED = "import time; imported = time.process_time()"
PEAK = BARE.replace("0", "imported", 1)
ADDED, SUMMED = "task + 0.5 * (tuned - base)", "base + ((task - base) + 0.5 * (tuned - base))"
QUANTITIES = (("CPU", "s"), ("CPU after imports", "s"), ("wall", "s"), ("peak memory", "MiB"))
WHOLE = "5000MB"  # as one file
ROUNDS = 3


@dataclass(frozen=True)
class Peer:
    """What ours is compared with.

    Args:
        name: What it is.
        program: What it runs.
        formula: What both compute.
        inside: How the names of tensors begin that are compared; it may do more than that.
        goal: How many times its CPU seconds should be ours.
    """

    name: str
    program: str
    formula: str
    inside: str = ""
    goal: float | None = None


@dataclass(frozen=True)
class Case:
    """What is merged.

    Args:
        config: The class of the configuration, in transformers.
        sizes: Its arguments.
        auto: The Auto class that opens it.
        inside: How the names of the tensors of the body begin.
        shards: The largest size of a file.
        kind: Of its numbers.
    """

    config: str
    sizes: dict[str, Any]
    auto: str
    inside: str
    shards: str
    kind: str

    def peers(self) -> list[Peer]:
        """What ours is compared with; mergekit merges the head too, where a model has one beyond its embedding."""
        goal = 4 if self.shards == WHOLE else None
        found = [Peer("`from_pretrained` and dictionaries of tensors", self.dictionaries(), ADDED, goal=goal)]
        if importlib.util.find_spec("mergekit"):
            found.append(Peer("mergekit, one thread", self.mergekit(), SUMMED, self.inside))
        return found

    def ours(self, formula: str) -> str:
        """The program of ours."""
        return f"""
import numpy
from crosslingual import Checkpoint
{IMPORTED}
task, tuned, base = map(Checkpoint.open, ("task", "tuned", "base"))
({formula}).save("ours", overwrite=True)
{PEAK}"""

    def dictionaries(self) -> str:
        """The program with state dictionaries, computed in fp32."""
        return f"""
import torch
from transformers import {self.auto}
{IMPORTED}
opened = {{name: {self.auto}.from_pretrained(name, dtype=torch.{self.kind}) for name in ("task", "tuned", "base")}}
dictionaries = [model.state_dict() for model in opened.values()]
inner = [name for name in dictionaries[0] if name.startswith("{self.inside}")]
new = {{}}
for name in inner:
    task, tuned, base = (each[name].float() for each in dictionaries)
    new[name] = ({ADDED}).to(torch.{self.kind})
opened["task"].load_state_dict(new, strict=False)
opened["task"].save_pretrained("peer", max_shard_size="{self.shards}")
{PEAK}"""

    def mergekit(self) -> str:
        """The program of mergekit; its sum begins at the base."""
        return f"""
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
{IMPORTED}
weights = {{"./task": 1.0, "./tuned": 0.5}}
weighed = [{{"model": name, "parameters": {{"weight": weight}}}} for name, weight in weights.items()]
said = {{"merge_method": "task_arithmetic", "base_model": "./base", "models": weighed, "dtype": "float32"}}
options = {{"copy_tokenizer": False, "write_model_card": False, "quiet": True, "num_threads": 1}}
options |= {{"out_shard_size": {int(self.shards.removesuffix("MB"))} * 10**6, "lazy_unpickle": True}}
run_merge(MergeConfiguration(**said, out_dtype="{self.kind}"), "peer", MergeOptions(**options))
{PEAK}"""


XLMR = Case(
    config="XLMRobertaConfig",
    sizes={
        "vocab_size": 250_002,
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
    },
    auto="AutoModelForMaskedLM",
    inside="roberta.",
    shards=WHOLE,
    kind="float32",
)
LLAMA = Case(
    config="LlamaConfig",
    sizes={
        "vocab_size": 32_000,
        "hidden_size": 2048,
        "num_hidden_layers": 22,
        "num_attention_heads": 32,
        "num_key_value_heads": 4,
        "intermediate_size": 5632,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": True,
    },
    auto="AutoModelForCausalLM",
    inside="model.",
    shards="500MB",
    kind="bfloat16",
)


def models(folder: Path, case: Case) -> int:
    """Write the three models, with random weights; returns the parameters of each."""
    import torch
    import transformers

    config = getattr(transformers, case.config)(**case.sizes)
    model = getattr(transformers, case.auto).from_config(config, dtype=getattr(torch, case.kind))
    for seed, name in enumerate(("base", "tuned", "task")):
        torch.manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0, 0.02)
        model.tie_weights()
        model.save_pretrained(folder / name, max_shard_size=case.shards)
    return sum(each.numel() for each in model.parameters())


def measured(program: str, folder: Path) -> tuple[float, float, float, float]:
    """CPU seconds, those after imports, wall seconds and peak MiB of a program in a process of its own."""
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
        )
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        assert child.returncode == 0, f"{program} failed: {errors.read()[-2000:]}"
    imported, peak = map(float, said.split()[-2:])
    cpu = usage.ru_utime + usage.ru_stime
    return cpu, cpu - imported, wall, peak / 1024


def assert_equal(folder: Path, inside: str) -> None:
    """Compare what the two results have inside, tensor by tensor, wherever their shards hold them."""
    import torch
    from safetensors import safe_open

    def tensors(name: str) -> dict[str, Path]:
        files = sorted((folder / name).glob("*.safetensors"))
        held = ((key, file) for file in files for key in safe_open(file, "pt").keys())  # noqa: SIM118 - no dictionary
        return {key: file for key, file in held if key.startswith(inside)}

    ours, peer = tensors("ours"), tensors("peer")
    assert ours, f"nothing is called {inside}..."
    assert set(ours) == set(peer), f"the tensors differ: {sorted(set(ours) ^ set(peer))[:4]}"
    for name, file in ours.items():
        with safe_open(file, "pt") as one, safe_open(peer[name], "pt") as other:
            assert torch.equal(one.get_tensor(name), other.get_tensor(name)), f"{name} differs"


def run(rounds: int = ROUNDS) -> list[Row]:
    """CPU, wall time and peak memory, of each model beside each peer."""
    if not Path("/proc/self/status").exists():
        return []
    rows = []
    for case in (XLMR, LLAMA):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            count = models(folder, case)
            for peer in case.peers():
                rows += compared(folder, peer, case, count, rounds)
    return rows


def compared(folder: Path, peer: Peer, case: Case, count: int, rounds: int) -> list[Row]:
    """Time both sides in turn."""
    ours = case.ours(peer.formula)
    measured(ours, folder), measured(peer.program, folder)  # warm
    assert_equal(folder, peer.inside)
    found = []
    for _ in range(rounds):
        first = measured(ours, folder)
        shutil.rmtree(folder / "peer")
        found.append((first, measured(peer.program, folder)))
    shutil.rmtree(folder / "peer")
    bare = min(measured(BARE, Path.cwd())[3] for _ in range(3))
    size = f"{count / 1e6:.0f}M parameters" if count < 1e9 else f"{count / 1e9:.2f}B parameters in shards"
    said = (
        f"{peer.formula} from three folders to a fourth, {case.kind}, computed in fp32, a process each, files in "
        f"the page cache; peer: {peer.name}; all tensors {'of the body ' * bool(peer.inside)}equal to the bit"
    )
    rows = []
    for place, (quantity, unit) in enumerate(QUANTITIES):
        medians = summary([each[place] for each, _ in found], [each[place] for _, each in found])
        extra = {"bare interpreter": bare} if unit == "MiB" else {}
        compares = f"{quantity}: {said}"
        if unit == "MiB":
            compares += f"; a bare interpreter has {bare:.0f} MiB, the goal is at most 100 above it"
        if quantity == "wall":
            compares += "; ours waits until all is on the disk, the peer does not"
        goal = peer.goal if quantity == "CPU" else None
        rows.append(Row(f"adding a vector, {size}, {quantity}", *medians, unit, compares, goal, extra))
    return rows
