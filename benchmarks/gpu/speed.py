"""The speed of GPT-2 small."""

import importlib
import importlib.util
import os
import re
import statistics
import subprocess
import sys
import venv
from collections.abc import Iterator
from functools import partial

import torch

from benchmarks.gpu.device import BF16, DRY, UNMEASURED, measured
from benchmarks.gpu.laps import Lap, Marks, idle, lap, our_trainer, their_trainer
from benchmarks.gpu.rows import Row, close
from benchmarks.step import Tokens

PEAKS = {"H100 PCIe": 756, "H100 NVL": 835, "H100": 989, "H200": 989, "A100": 312, "L40S": 362, "L4": 121}  # TFLOP/s
ACCELERATE = ("accelerate==1.15.0", "psutil==7.2.2")  # what the Trainer of transformers needs beside what is here


def speed() -> Iterator[Row]:
    """GPT-2 small under the Trainer, beside the Trainer of transformers: tokens a second, memory; and idle share.

    Both have the same weights, batches in the same order, loss, fused AdamW at a constant rate, clipping and autocast,
    and log nothing; steps are counted when both are warm.
    """
    lacking, mine, theirs = peer_lacks(), list[Lap](), list[Lap]()  # first: transformers looks once for what it needs

    from transformers import GPT2Config, GPT2LMHeadModel

    rows, length, half, rounds = (1, 32, 2, 1) if DRY else (16, 1024, 20, 3)
    config = GPT2Config(n_layer=2 if DRY else 12, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, use_cache=False)
    torch.manual_seed(0)
    model, data = GPT2LMHeadModel(config), Tokens(rows, length)
    for _ in range(rounds):
        mine.append(lap(our_trainer, model, data, Marks(half, 2 * half)))
        if not lacking:
            theirs.append(lap(their_trainer, model, data, Marks(half, 2 * half)))
    seconds = statistics.median(each.seconds for each in mine)
    parameters = sum(each.numel() for each in model.parameters())
    flops = 6 * parameters * rows * length + 12 * config.n_layer * config.n_embd * length**2 * rows
    name = UNMEASURED if DRY else torch.cuda.get_device_name()
    peak = peak_of(name)
    share = (
        f"{flops / seconds / 1e12 / peak:.0%} of {peak} TFLOP/s" if peak else f"the peak of {name} is not known here"
    )
    what = f"GPT-2 of {parameters / 1e6:.0f}M, {rows} x {length} tokens, {BF16}, eager"
    yield Row(f"{what}: tokens a second", measured(f"{rows * length / seconds:,.0f}"))
    yield Row("TFLOP/s, by 6 N a token and attention", measured(f"{flops / seconds / 1e12:.1f}"))
    yield Row("share of the device's peak in bf16 (MFU)", measured(share))
    yield Row("peak memory", measured(f"{mine[-1].memory / 2**30:.1f} GiB"))
    yield Row("share of the time in which no kernel runs", UNMEASURED if DRY else f"{idle(model, data, half):.1%}")
    yield tf32(model)
    if lacking:
        yield Row("the Trainer of transformers", f"not measured: {lacking}")
        return
    peer = statistics.median(each.seconds for each in theirs)
    yield Row("the Trainer of transformers: tokens a second", measured(f"{rows * length / peer:,.0f}"))
    yield Row("the Trainer of transformers: peak memory", measured(f"{theirs[-1].memory / 2**30:.1f} GiB"))
    yield close("mean loss of ours against theirs", [mine[-1].loss], [theirs[-1].loss], 1e-5 if DRY else 1e-3)
    ratios = [b.seconds / a.seconds for a, b in zip(mine, theirs)]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    if DRY:
        yield Row("seconds of a step, theirs / ours", UNMEASURED)
    else:
        yield Row("seconds of a step, theirs / ours", spread, "at least 1", statistics.median(ratios) >= 1)


def tf32(model: torch.nn.Module) -> Row:
    """A row of steps in fp32, without the tensor cores and with them."""
    what = "4 x 1024 tokens: steps a second in fp32, and in tf32"
    if DRY or torch.cuda.get_device_capability()[0] < 8:
        return Row(what, UNMEASURED if DRY else "the device has no TF32")
    data, rates = Tokens(4, 1024), list[float]()
    for precision in ("fp32", "tf32"):
        rates.append(1 / lap(partial(our_trainer, precision=precision), model, data, Marks(5, 15)).seconds)
    return Row(what, f"{rates[0]:.2f} and {rates[1]:.2f}", "faster in tf32", rates[1] > rates[0])


def peak_of(device: str) -> int | None:
    """The TFLOP/s in bf16, dense, that the maker of a device tells of it; None where it is not known here."""
    return next((peak for name, peak in PEAKS.items() if re.search(rf"\b{name}\b", device)), None)


def peer_lacks() -> str:
    """Why the Trainer of transformers cannot be used; empty where it can, once what it needs is installed for now."""
    if importlib.util.find_spec("accelerate"):
        return ""
    venv.create("pip", with_pip=True, symlinks=True)
    command = ["pip/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "--target", "peer", *ACCELERATE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"pip cannot install {' '.join(ACCELERATE)}"
    sys.path.append(os.path.abspath("peer"))
    importlib.invalidate_caches()
    return ""
