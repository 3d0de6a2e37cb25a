"""Adding a vector to a model of 278M parameters, against the dictionaries of tensors that one would write by hand.

Both make task + 0.5 * (tuned - base) of three folders of xlm-roberta-base's size, with random weights, and write a
folder that `from_pretrained` opens. Each runs in a process of its own, from its start to its end, imports included; the
two alternate. The peer opens each model by `from_pretrained`, keeps their state dictionaries, and saves by
`save_pretrained`. Every tensor must be the same to the bit. Ours also syncs what it wrote to the disk.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.paired import Row, summary

SIZES = {
    "vocab_size": 250_002,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
}
BARE = 'print(0, open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])\n'
IMPORTED = "import time; imported = time.process_time()"
PEAK = BARE.replace("0", "imported", 1)
OURS = f"""
import numpy
from crosslingual import Checkpoint
{IMPORTED}
task, tuned, base = map(Checkpoint.open, ("task", "tuned", "base"))
(task + 0.5 * (tuned - base)).save("ours", overwrite=True)
{PEAK}"""
PEER = f"""
import torch
from transformers import AutoModelForMaskedLM, XLMRobertaForMaskedLM
{IMPORTED}
opened = {{name: AutoModelForMaskedLM.from_pretrained(name) for name in ("task", "tuned", "base")}}
task, tuned, base = (model.state_dict() for model in opened.values())
inner = {{name for name in task if name.startswith("roberta.")}}
new = {{name: task[name] + 0.5 * (tuned[name] - base[name]) for name in inner}}
opened["task"].load_state_dict(new, strict=False)
opened["task"].save_pretrained("peer")
{PEAK}"""
ROUNDS = 3


def models(folder: Path, sizes: dict[str, int]) -> int:
    """Write the three models, with random weights; returns the parameters of each."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    model = XLMRobertaForMaskedLM(XLMRobertaConfig(**sizes))
    for seed, name in enumerate(("base", "tuned", "task")):
        torch.manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0, 0.02)
        model.tie_weights()
        model.save_pretrained(folder / name)
    return sum(each.numel() for each in model.parameters())


def measured(program: str, folder: Path) -> tuple[float, float, float, float]:
    """CPU seconds, those after imports, wall seconds and peak MiB of a program in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"{program} failed"
    imported, peak = map(float, said.split())
    cpu = usage.ru_utime + usage.ru_stime
    return cpu, cpu - imported, wall, peak / 1024


def assert_equal(folder: Path) -> None:
    """Compare the two results tensor by tensor."""
    import torch
    from safetensors import safe_open

    with (
        safe_open(folder / "ours/model.safetensors", "pt") as ours,
        safe_open(folder / "peer/model.safetensors", "pt") as peer,
    ):
        assert set(ours.keys()) == set(peer.keys()), "the tensors differ"
        for name in ours.keys():  # noqa: SIM118 - no dictionary
            assert torch.equal(ours.get_tensor(name), peer.get_tensor(name)), f"{name} differs"


def run(sizes: dict[str, int] = SIZES) -> list[Row]:
    """CPU, wall time and peak memory."""
    if not Path("/proc/self/status").exists():
        return []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = models(folder, sizes)
        measured(OURS, folder), measured(PEER, folder)  # warm
        assert_equal(folder)
        found = [(measured(OURS, folder), measured(PEER, folder)) for _ in range(ROUNDS)]
    bare = min(measured(BARE, Path.cwd())[3] for _ in range(3))
    what = f"adding a vector, {count / 1e6:.0f}M parameters"
    said = (
        "task + 0.5 * (tuned - base) from three folders to a fourth, fp32, a process each, files in the page cache; "
        "peer: `from_pretrained` and dictionaries of tensors; all tensors equal to the bit"
    )
    rows = []
    quantities = (("CPU", "s", 4), ("CPU after imports", "s", None), ("wall", "s", None), ("peak memory", "MiB", None))
    for place, (quantity, unit, goal) in enumerate(quantities):
        medians = summary([ours[place] for ours, _ in found], [peer[place] for _, peer in found])
        extra = {"bare interpreter": bare} if unit == "MiB" else {}
        compares = f"{quantity}: {said}"
        if unit == "MiB":
            compares += f"; a bare interpreter has {bare:.0f} MiB, the goal is at most 100 above it"
        if quantity == "wall":
            compares += "; ours waits until all is on the disk, the peer does not"
        rows.append(Row(f"{what}, {quantity}", *medians, unit, compares, goal, extra))
    return rows
