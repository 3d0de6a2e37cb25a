"""Running sentences, each in a process of its own."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from benchmarks.gpu.device import DEVICE, DRY

TOKENIZER = "cli tokenizer bpe --vocab_size 1000"
BABEL = f"cli dataset babel --documents {300 if DRY else 3000}"
MASKED = f"{TOKENIZER} {BABEL} --block_size 64 --batch_size 16 --objective masked"
ENCODER = "cli model encoder --layers 2 --heads 4 --embedding_size 128"
ADAMW = "cli optimizers adamw --learning_rate 1e-3"

SEMEQV = [sys.executable, "-m", "semeqv"]
LAUNCHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
COUNTED = '{"counted": '  # how a line begins that tells what a way of running has counted


def say(line: str, *, device: str = DEVICE, code: int = 0, way: str | None = None) -> str:
    """Run a sentence in the current folder; returns what it printed.

    Args:
        line: The sentence.
        device: Where it computes.
        code: The exit code that it must have.
        way: One of `ways.WAYS`; None as a user does.

    Raises:
        RuntimeError: When it ends with another exit code.
    """
    command = [sys.executable, "-m", "benchmarks.gpu.ways", way] if way else SEMEQV
    done = subprocess.run([*command, "--device", device, *line.split()], capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"exit code {done.returncode}: semeqv {line}\n{done.stderr[-1500:]}")
    return done.stdout + done.stderr


def side_by_side(*sentences: partial[str]) -> list[str]:
    """Run sentences whose speed does not matter at the same time; returns what they printed."""
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as pool:
        return list(pool.map(lambda each: each(), sentences))


def by_two(module: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a module in two processes that torchrun starts; returns how torchrun ended and what all printed."""
    return subprocess.run([*LAUNCHER, "-m", module, *words], capture_output=True, text=True, check=False)


def counted(printed: str) -> list[Any]:
    """What a way has counted in a sentence, from what the sentence printed."""
    return [json.loads(line)["counted"] for line in printed.splitlines() if line.startswith(COUNTED)]


def tell(count: Any) -> None:
    """Print what was counted as a line of its own, for `counted`."""
    print(f"\n{COUNTED}{json.dumps(count)}}}", file=sys.stderr, flush=True)
