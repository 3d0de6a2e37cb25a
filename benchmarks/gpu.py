"""The checks that need a GPU, within eight minutes: `make gpu`. On a machine without one it is a dry run on the CPU.

    python -m benchmarks.gpu                every check
    python -m benchmarks.gpu backpack ranks     these alone; the others keep their rows

Every check is a process of its own with a time limit, as an assertion on the device ends the process; what a check
leaves of its time the later ones may use. The rows are written to benchmarks/results/gpu/DEVICE.json, and the tables of
all devices to benchmarks/results/gpu/README.md. Of several GPUs the first is used.
"""

import argparse
import contextlib
import copy
import gc
import importlib.util
import itertools
import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.paired import RESULTS, environment

FOLDER = RESULTS / "gpu"
DRY = not torch.cuda.is_available()
DEVICE = "cpu" if DRY else "cuda"
BF16 = "fp32" if DRY else "bf16"
PRECISIONS = tuple(dict.fromkeys(("fp32", BF16)))
SEMEQV = [sys.executable, "-m", "semeqv"]
COUNTED = {"--compile": ", compiling included", "--no-compile": ""}
UNMEASURED = "not measured on a CPU"
MINUTES = 8  # for the checks of one call together
DRY_LIMIT = 600  # seconds for each check of a dry run


@dataclass
class Row:
    """One thing that was looked at.

    Args:
        what: What it is.
        value: What was found.
        expected: What it should be, in words; empty where it is only measured.
        right: Whether it is so.
    """

    what: str
    value: str
    expected: str = ""
    right: bool = True


def say(line: str, *, device: str = DEVICE, code: int = 0, alone_as: str | None = None) -> str:
    """Run a sentence in the current folder; returns what it printed.

    Args:
        line: The sentence.
        device: Where it computes.
        code: The exit code that it must have.
        alone_as: A strategy for several processes, by which its one process computes.

    Raises:
        RuntimeError: When it ends with another exit code.
    """
    command = [*SEMEQV, "--device", device, *line.split()]
    if alone_as:
        command = [
            sys.executable,
            "-m",
            "benchmarks.gpu",
            "--alone_as",
            alone_as,
            f"--sentence=--device {device} {line}",
        ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"exit code {done.returncode}: semeqv {line}\n{done.stderr[-1500:]}")
    return done.stdout + done.stderr


def side_by_side(*sentences: partial[str]) -> list[str]:
    """Run sentences whose speed does not matter at the same time; returns what they printed."""
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as pool:
        return list(pool.map(lambda each: each(), sentences))


def losses(folder: str, split: str = "train") -> list[float]:
    """The losses of a run, in order."""
    lines = map(json.loads, Path(folder, "metrics.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if line["split"] == split]


def seconds_of(folder: str) -> str:
    """The seconds that a run trained, its compilation counted."""
    return UNMEASURED if DRY else f"{json.loads(Path(folder, 'run.json').read_text())['seconds']:.1f}"


def gap(one: list[float], other: list[float]) -> float:
    """The largest relative difference between two lists of losses."""
    if len(one) != len(other):
        return math.inf
    return largest(abs(a - b) / max(abs(b), 1e-9) for a, b in zip(one, other))


def largest(differences: Iterable[float]) -> float:
    """The largest difference; infinite when there is none, or one is not a number, which `max` may pass over."""
    found = list(differences)
    return max(found) if found and not any(map(math.isnan, found)) else math.inf


def close(what: str, one: list[float], other: list[float], limit: float) -> Row:
    """A row that compares losses."""
    found = gap(one, other)
    return Row(what, f"{found:.1e}", f"relative difference up to {limit:g}", found <= limit)


# -- the checks, in order ---------------------------------------------------------------------------------------------


def machine() -> Iterator[Row]:
    """Versions, and what compiling for the device needs."""
    yield Row("torch", torch.__version__)
    yield Row("device", "a dry run on the CPU" if DRY else torch.cuda.get_device_name())
    compiler = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    yield Row("C compiler", str(compiler), "there is one", compiler is not None)
    header = Path(sysconfig.get_path("include"), "Python.h").exists()
    yield Row("Python.h", str(header), "True", header)
    if not DRY:
        x = torch.randn(1000, device=DEVICE)
        yield Row("memory", f"{torch.cuda.get_device_properties(0).total_memory / 2**30:.0f} GiB")
        yield Row(
            "CUDA", f"{torch.version.cuda}, compute capability {'.'.join(map(str, torch.cuda.get_device_capability()))}"
        )
        found = float((torch.compile(lambda y: (y.sin() * 2 + 1).sum())(x) - (x.sin() * 2 + 1).sum()).abs())
        yield Row("a compiled kernel", f"{found:.1e}", "up to 1e-3 from the eager one", found < 1e-3)


def replicas() -> Iterator[Row]:
    """Two seeds, tied and untied, as one program."""
    steps, compiles = (10, ["--no-compile"]) if DRY else (2000, ["--compile", "--no-compile"])
    data = "cli xor dataset default --size 7 --batch_size 1024 --drop_last False"
    parts = (
        f"{data} cli xor model transformer --layers 2 --heads 1 --embedding_size 4 --tie both cli loss cross-entropy"
    )
    line = f"--seeds 42 43 --record_steps {steps // 10} {parts} cli optimizers adamw --learning_rate 5e-4 cli train"
    say(f"--steps {steps} --no-compile --threads 4 --output cpu {line}", device="cpu")
    for how in compiles:
        say(f"--steps {steps} {how} --output device{how} {line}")
        for name in ("42-transformer", "43-transformerwt"):
            one, other = losses(f"device{how}/{name}"), losses(f"cpu/{name}")
            yield close(f"{how}, {name}: losses against the CPU's", one[:3], other[:3], 1e-3)
        yield Row(
            f"{how}: seconds for {steps:,} steps of four replicas{COUNTED[how]}",
            seconds_of(f"device{how}/42-transformer"),
        )


TOKENIZER = "cli tokenizer bpe --vocab_size 1000"
BABEL = f"cli dataset babel --documents {300 if DRY else 3000}"
MASKED = f"{TOKENIZER} {BABEL} --block_size 64 --batch_size 16 --objective masked"
ENCODER = "cli model encoder --layers 2 --heads 4 --embedding_size 128"
ADAMW = "cli optimizers adamw --learning_rate 1e-3"


def masked() -> Iterator[Row]:
    """A small masked language model: precisions, accumulation, clipping; stopped and resumed."""
    steps = 20 if DRY else 200
    settings = f"--steps {steps} --accumulation 2 --clip 1 --record_steps {steps // 20}"
    rest = f"{MASKED} {ENCODER} {ADAMW} cli savers default-saver --minutes 1000 --resume cli train"
    deterministic, others = f"{settings} --deterministic", () if DRY else ("tf32", "bf16", "fp16")
    side_by_side(
        partial(say, f"{settings} --output reference {rest}", device="cpu"),
        partial(say, f"{deterministic} --output whole {rest}"),
        *(partial(say, f"{settings} --precision {each} --output {each} {rest}") for each in others),
    )
    for name in ("whole", *others):
        what = f"{name.replace('whole', 'fp32, --deterministic')}: losses against fp32 on the CPU"
        yield close(what, losses(name), losses("reference"), 0.05)
    saving = f"{deterministic} --output stopped {rest}".replace("--minutes 1000", "--minutes .0001")
    stopped = subprocess.Popen(
        [*SEMEQV, "--device", DEVICE, *saving.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while stopped.poll() is None and not Path("stopped/checkpoints/last").exists():
        time.sleep(0.01)
    stopped.send_signal(signal.SIGUSR1)
    said = stopped.communicate()[0].strip().splitlines() or [""]
    what = f"exit code {stopped.returncode}: {said[-1][:80]}"
    yield Row("USR1 after the first checkpoint", what, "75", stopped.returncode == 75)
    say(f"{deterministic} --output stopped {rest}")
    yield close("--deterministic: stopped and resumed against uninterrupted", losses("stopped"), losses("whole"), 0.0)


def backpack() -> Iterator[Row]:
    """Mixing against the plain sum, and generation against that of the CPU."""
    yield from formula()
    steps = 5 if DRY else 200
    rows, size = (2, 32) if DRY else (8, 128)
    data = f"{TOKENIZER} {BABEL} --block_size 320 --batch_size {rows}"
    model = f"cli model backpack --layers 2 --heads 4 --embedding_size {size} --senses 8 --block_size 320"
    rest = f"--steps {steps} --record_steps {steps // 5} {data} {model} {ADAMW} cli train"
    say(f"--output cpu {rest}", device="cpu")
    for precision in PRECISIONS:
        say(f"--precision {precision} --output {precision} {rest}")
        yield Row(f"{precision}: seconds for {steps} steps of {rows} x 320 tokens", seconds_of(precision))
        yield close(
            f"{precision}: losses against fp32 on the CPU",
            losses(precision),
            losses("cpu"),
            2e-3 if precision == "fp32" else 0.05,
        )
    line = "cli model load --from cpu cli generate --prompt a --max_new_tokens 20 --temperature 0"
    here, there = side_by_side(partial(say, line), partial(say, line, device="cpu"))
    same = here == there
    yield Row("greedy generation", "the CPU's tokens" if same else "other tokens", "the CPU's tokens", same)


def formula() -> Iterator[Row]:
    """Logits and gradients of a small Backpack on the device and on the CPU, at several lengths, with padding."""
    from backpack.networks import BackpackConfig, BackpackLMHeadModel

    torch.manual_seed(0)
    sizes = {"vocab_size": 100, "n_embd": 64, "n_layer": 2, "n_head": 4, "num_senses": 8, "n_positions": 512}
    here = BackpackLMHeadModel(BackpackConfig(**sizes)).eval()
    there = copy.deepcopy(here).to(DEVICE)
    for length in (32, 300, 512):
        ids = torch.randint(100, (3, length))
        batch = {
            "input_ids": ids,
            "labels": ids,
            "attention_mask": (torch.arange(length) < length - 7).expand(3, -1).long(),
        }
        for model in (here, there):
            model.zero_grad()
            model(**{name: each.to(model.device) for name, each in batch.items()}).loss.backward()
        found = largest(
            float((a.grad - b.grad.cpu()).norm() / a.grad.norm())
            for a, b in zip(here.parameters(), there.parameters())
            if a.grad is not None and a.grad.norm() > 0
        )
        yield Row(
            f"gradients at {length} tokens, padded, against the CPU's", f"{found:.1e}", "up to 1e-3", found < 1e-3
        )


def sharded() -> Iterator[Row]:
    """DDP and FSDP in one process, which has all rows and the one shard: four steps, a checkpoint, four more."""
    rest = f"--record_steps 1 {MASKED} {ENCODER} {ADAMW} cli savers default-saver --resume cli train"
    tried = (("ddp", "fp32"), *(("fsdp", each) for each in PRECISIONS))
    reference = partial(say, f"--steps 8 --output cpu {rest}", device="cpu")
    for steps in (4, 8):
        side_by_side(
            *([reference] if steps == 8 else []),
            *(
                partial(say, f"--precision {each} --steps {steps} --output {how}-{each} {rest}", alone_as=how)
                for how, each in tried
            ),
        )
    shards = list(Path("fsdp-fp32/checkpoints").glob("*/optimizer/*.safetensors"))
    yield Row("fsdp: the optimizer's state is in shards", str(bool(shards)), "True", bool(shards))
    for how, each in tried:
        what = f"{how}, {each}: losses of 8 steps, resumed after 4, against the CPU's without {how}"
        yield close(what, losses(f"{how}-{each}"), losses("cpu"), 1e-3 if each == "fp32" else 0.02)


def alone_as(strategy: str, line: str) -> None:
    """Run a sentence in one process as one of several does, by a strategy."""
    from torch import distributed

    from semeqv import cli
    from semeqv.engine import preparation

    backend = "gloo" if DRY else "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, store=distributed.HashStore(), rank=0, world_size=1)
    preparation.Alone = preparation.STRATEGIES[strategy]  # type: ignore[misc]
    cli.main(line.split())


def ranks() -> Iterator[Row]:
    """Two processes on one device, by gloo: odd rows, and the losses of one."""
    few = MASKED.replace("--batch_size 16", "--batch_size 5")
    rest = f"--device {DEVICE} --steps 10 --record_steps 1 {few} {ENCODER} {ADAMW} cli train"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = [*launcher, "-m", "benchmarks.gpu", f"--sentence=--output two {rest}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    say(f"--output one {rest}")
    yield close("DDP, two processes of one device: losses against one process", losses("two"), losses("one"), 1e-4)


def one_rank(line: str) -> None:
    """Run a sentence as one of several processes that share the first device, which NCCL refuses."""
    from torch import distributed

    from semeqv import cli

    os.environ["LOCAL_RANK"] = "0"
    join = distributed.init_process_group
    distributed.init_process_group = lambda backend, **how: join("gloo", **how)
    cli.main(line.split())


def compiled() -> Iterator[Row]:
    """Compiled modules on rows of many lengths."""
    steps = 6 if DRY else 150
    data = f"{TOKENIZER} {BABEL} --batch_size 8 --no-packing"
    models = {
        "gpt2": f"{data} cli model gpt2 --layers 2 --heads 4 --embedding_size 128",
        "backpack": f"{data} cli model backpack --layers 2 --heads 4 --embedding_size 128 --senses 4",
        "encoder": f"{data} --objective masked {ENCODER}",
    }
    ways = ("--no-compile",) if DRY else ("--compile", "--no-compile")
    for how in ways:
        side_by_side(
            *(
                partial(
                    say,
                    f"--steps {steps} --record_steps {steps} {how} --precision {BF16} --output {name}{how} {parts} "
                    f"{ADAMW} cli train",
                )
                for name, parts in models.items()
            )
        )
    for name in models:
        for how in ways:
            what = f"{name} {how}: seconds for {steps} steps, the three models at once{COUNTED[how]}"
            yield Row(what, seconds_of(f"{name}{how}"))
        if not DRY:
            one, other = (losses(f"{name}{how}") for how in ways)
            yield close(f"{name}: losses compiled against eager", one, other, 0.02)


def measures() -> Iterator[Row]:
    """What models are measured by, in two precisions, against the CPU."""
    text = f"{BABEL} --block_size 64"
    say(
        f"--steps {8 if DRY else 150} --output lm {TOKENIZER} {text} cli model gpt2 --layers 2 --heads 4 "
        f"--embedding_size 128 {ADAMW} cli train",
        device="cpu",
    )
    sentences = {
        "perplexity": f"cli model load --from lm {text} --split validation cli perplexity",
        "retrieval": "cli model load --from lm cli retrieval --corpus babel --sentences 200 --layer all",
    }
    tags = "cli dataset babel-tags --documents 100"
    tagger = f"cli model token-classifier --from lm {tags} {tags} --split test --name test {ADAMW} cli train cli test"
    side_by_side(
        *(partial(say, f"--output {name}-cpu {line}", device="cpu") for name, line in sentences.items()),
        *(
            partial(say, f"--precision {each} --output {name}-{each} {line}")
            for name, line in sentences.items()
            for each in PRECISIONS
        ),
        *(partial(say, f"--steps 20 --precision {each} --output tagger-{each} {tagger}") for each in PRECISIONS),
    )
    for name in sentences:
        for each in PRECISIONS:
            yield agreeing(f"{name}, {each}", f"{name}-{each}", f"{name}-cpu", 1e-3 if each == "fp32" else 0.1)
    for each in PRECISIONS:
        yield Row(f"tagger, {each}: loss on the test set", f"{losses(f'tagger-{each}', 'test')[0]:.3f}")


def agreeing(what: str, one: str, other: str, limit: float) -> Row:
    """A row that compares all numbers of two measurements; those below 1 by their difference, as shares are."""
    mine, theirs = numbers(one), numbers(other)
    found = math.inf
    if mine.keys() == theirs.keys():
        found = largest(abs(mine[key] - theirs[key]) / max(abs(theirs[key]), 1) for key in mine)
    where = f"{len(mine)} numbers against the CPU's"
    return Row(f"{what}: {where}", f"{found:.1e}", f"difference up to {limit:g}, relative above 1", found <= limit)


def numbers(folder: str) -> dict[str, float]:
    """The numbers that a measurement wrote, by line and name."""
    lines = map(json.loads, Path(folder, "metrics.jsonl").read_text().splitlines())
    return {f"{i} {key}": each for i, line in enumerate(lines) for key, each in line.items() if isinstance(each, float)}


PEAKS = {"H100 PCIe": 756, "H100 NVL": 835, "H100": 989, "H200": 989, "A100": 312, "L40S": 362, "L4": 121}  # TFLOP/s
ACCELERATE = ("accelerate==1.15.0", "psutil==7.2.2")  # what the Trainer of transformers needs beside what is here


@dataclass
class Lap:
    """What one run of a Trainer was like, between its two marks.

    Args:
        seconds: Of a step.
        memory: The most bytes that the device held.
        loss: Mean over all steps.
    """

    seconds: float
    memory: int
    loss: float


class Marks:
    """Takes the time after two steps, the device having done all its work; the first steps, which warm up, are over.

    Args:
        first: The step after which the clock starts.
        last: The step after which it stops.
        profiler: Runs while the clock does.
    """

    def __init__(self, first: int, last: int, profiler: Any = None):
        self.first, self.last, self.profiler = first, last, profiler
        self.at = dict[int, float]()

    def reached(self, step: int) -> None:
        """Look at the clock if the step is one of the two."""
        if step not in (self.first, self.last):
            return
        if not DRY:
            torch.cuda.synchronize()
        if self.profiler and step == self.first:
            self.profiler.start()
        self.at[step] = time.perf_counter()
        if self.profiler and step == self.last:
            self.profiler.stop()

    @property
    def seconds(self) -> float:
        """Between the marks."""
        return self.at[self.last] - self.at[self.first]


def speed() -> Iterator[Row]:
    """GPT-2 small under the Trainer, beside the Trainer of transformers: tokens a second, memory; and idle share.

    Both have the same weights, batches in the same order, loss, fused AdamW at a constant rate, clipping and autocast,
    and log nothing; steps are counted when both are warm.
    """
    lacking, mine, theirs = peer_lacks(), list[Lap](), list[Lap]()  # first: transformers looks once for what it needs

    from transformers import GPT2Config, GPT2LMHeadModel

    from benchmarks.step import Tokens

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


def peak_of(device: str) -> int | None:
    """The TFLOP/s in bf16, dense, that the maker of a device tells of it; None where it is not known here."""
    return next((peak for name, peak in PEAKS.items() if re.search(rf"\b{name}\b", device)), None)


def measured(value: str) -> str:
    """A number that only a GPU can show."""
    return UNMEASURED if DRY else value


def lap(train: Any, model: torch.nn.Module, data: Any, marks: Marks) -> Lap:
    """Train a copy of a model by a Trainer, alone on the device."""
    gc.collect()  # what the run before has left
    if not DRY:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    loss = train(copy.deepcopy(model), data, marks)
    memory = 0 if DRY else torch.cuda.max_memory_allocated()
    return Lap(marks.seconds / (marks.last - marks.first), memory, loss)


def our_trainer(model: torch.nn.Module, data: Any, marks: Marks) -> float:
    """Train by the Trainer; returns the mean loss."""
    from semeqv.engine.callbacks.callback import Callback
    from semeqv.engine.optimizers import AdamW
    from semeqv.engine.trainer import Trainer

    class Watcher(Callback):
        def on_step(self, trainer: Any, metrics: Any) -> None:
            marks.reached(trainer.step)

    trainer = Trainer().set_model(model).set_optimizer(AdamW(learning_rate=1e-4, weight_decay=0)).set_clip(1.0)
    trainer.set_trainsplit(data).set_steps(marks.last).set_device(DEVICE).set_precision(BF16)
    trainer.set_bars(False, False, False, False).add_callback(Watcher(steps=marks.first))
    return float(trainer.train()["loss"][0])


def their_trainer(model: torch.nn.Module, data: Any, marks: Marks) -> float:
    """Train by the Trainer of transformers; returns the mean loss."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    class Batches(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return len(data)

        def __getitem__(self, position: int) -> Any:
            return data.batch(position)

    class Watcher(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            marks.reached(state.global_step)

    arguments = TrainingArguments(
        "theirs", max_steps=marks.last, bf16=not DRY, use_cpu=DRY, learning_rate=1e-4, lr_scheduler_type="constant",
        weight_decay=0, optim="adamw_torch_fused", max_grad_norm=1.0, per_device_train_batch_size=1,
        train_sampling_strategy="sequential", remove_unused_columns=False, report_to=[], save_strategy="no",
        logging_strategy="no", logging_nan_inf_filter=False, disable_tqdm=True,
    )  # fmt: skip
    trainer = Trainer(
        model, arguments, train_dataset=Batches(), data_collator=lambda rows: rows[0], callbacks=[Watcher()]
    )
    trainer.model_accepts_loss_kwargs = (
        False  # else it divides by the first label of a row, too, which is not predicted
    )
    with contextlib.redirect_stdout(sys.stderr):
        return float(trainer.train().training_loss)


def idle(model: torch.nn.Module, data: Any, half: int) -> float:
    """The share of the time of warm steps in which the device computes and copies nothing."""
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    profiler = profile(activities=[ProfilerActivity.CUDA])
    marks = Marks(half, 2 * half, profiler)
    lap(our_trainer, model, data, marks)
    events = [each for each in profiler.events() or () if each.device_type == DeviceType.CUDA]
    spans = ((each.time_range.start, each.time_range.end) for each in events if not each.is_user_annotation)
    return 1 - covered(spans) / 1e6 / marks.seconds


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """The length of what spans cover together; they may overlap."""
    total, until = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


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


class Beyond:
    """Tokens that a model of 50 knows, but for one in the third batch."""

    def __len__(self) -> int:
        return 4

    def stream(self, seed: int, start: int = 0) -> Iterator[dict[str, torch.Tensor]]:
        for i in itertools.count(start):
            ids = torch.arange(8).reshape(2, 4) + (45 if i == 2 else 0)
            yield {"input_ids": ids, "labels": ids}


def errors() -> Iterator[Row]:
    """Ids beyond the model, last: on CUDA they would end the process."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from semeqv.engine.errors import UserError
    from semeqv.engine.optimizers import AdamW
    from semeqv.engine.trainer import Trainer

    data = f"{TOKENIZER} {BABEL} --block_size 64"
    model = "cli model gpt2 --layers 1 --heads 1 --embedding_size 8"
    say(f"--steps 2 --output small {data.replace('1000', '400')} {model} {ADAMW} cli train")
    said = say(f"--steps 2 --output beyond {data} cli model load --from small {ADAMW} cli train", code=2)
    last = said.strip().splitlines()[-1]
    yield Row("a tokenizer with more tokens than the model", last[:100], "one line", last.startswith("Error"))

    network = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=1))
    trainer = Trainer().set_model(network).set_optimizer(AdamW()).set_trainsplit(Beyond()).set_steps(4)
    told = "no error"
    try:
        trainer.set_device(DEVICE).set_bars(False, False, False, False).train()
    except UserError as error:
        told = str(error)
    right = "token id 52" in told
    yield Row("an id beyond the model, in the third batch", told[:100], "an error that names the id", right)


CHECKS = {
    each.__name__: (each, limit)
    for each, limit in (
        (machine, 20), (replicas, 90), (masked, 60), (backpack, 60), (sharded, 55), (ranks, 30), (compiled, 60),
        (measures, 45), (speed, 40), (errors, 20),
    )
}  # fmt: skip


def attempt(name: str, limit: float) -> dict[str, Any]:
    """Do a check in a process and a folder of its own; returns its rows, its seconds and the date.

    Args:
        name: The check.
        limit: Seconds after which it is ended, with all that it started.

    Returns:
        What goes into the file; what was found until it was ended, too.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="semeqv-gpu-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "benchmarks.gpu", "--check", name]
        paths = f"{Path(__file__).parents[1]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        own = {"PYTHONPATH": paths, "SEMEQV_CACHE": f"{folder}/cache", "HF_HUB_OFFLINE": "1"}
        own |= {"TORCHINDUCTOR_CACHE_DIR": f"{folder}/inductor", "TRITON_CACHE_DIR": f"{folder}/triton"}
        if not DRY:
            own["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
        code, printed, said = ended(command, limit, folder, os.environ | own)
        rows = [json.loads(line) for line in printed.splitlines() if line.startswith('{"what"')]
        if code is None:
            rows.append(asdict(Row(name, "too long", f"within {limit:.0f} s", False)))
        elif code:
            wrong = said.strip().splitlines() or [f"exit code {code}"]
            rows.append(asdict(Row(name, " | ".join(wrong[-3:])[-300:], "ends without an error", False)))
    return {"rows": rows, "seconds": round(time.monotonic() - start, 1), "date": time.strftime("%Y-%m-%d")}


def ended(
    command: Sequence[str], limit: float, folder: str, environment: Mapping[str, str]
) -> tuple[int | None, str, str]:
    """Run a command, which is ended after some seconds with all that it has started.

    Args:
        command: Its words.
        limit: The seconds.
        folder: Where it runs.
        environment: Its variables.

    Returns:
        The exit code, None if it was ended; what it printed, and what it printed as errors.
    """
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **streams)
    try:
        printed, said = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, *process.communicate()
    except BaseException:  # Ctrl-C does not reach it
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, printed, said


def table() -> str:
    """The tables of all devices, in Markdown."""
    lines = [
        "# On a GPU",
        "",
        "Made by `make gpu`. A dry run on a CPU compares the CPU with itself, at small sizes: it shows that the checks",
        "run, and no more.",
        "",
    ]
    for path in sorted(FOLDER.glob("*.json")):
        found = json.loads(path.read_text())
        where = ", ".join(f"{key} {value}" for key, value in found["environment"].items() if key != "date")
        lines += [
            f"## {path.stem}",
            "",
            where,
            "",
            "| check | what | found | expected | right |",
            "|---|---|---|---|---|",
        ]
        for name, check in found["checks"].items():
            for row in check["rows"]:
                right = ("yes" if row["right"] else "**no**") if row["expected"] else ""
                cells = (row[key].replace("|", "/").replace("\n", " ") for key in ("what", "value", "expected"))
                lines.append(f"| {name} | {' | '.join(cells)} | {right} |")
        dates = sorted({check["date"] for check in found["checks"].values()})
        seconds = sum(check["seconds"] for check in found["checks"].values())
        lines += ["", f"{seconds:.0f} seconds in all; {', '.join(dates)}.", ""]
    return "\n".join(lines)


def main() -> int:
    """Do the checks; returns the number of rows that are wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"one of {', '.join(CHECKS)}; all if left out")
    parser.add_argument("--check", help=argparse.SUPPRESS)
    parser.add_argument("--sentence", help=argparse.SUPPRESS)
    parser.add_argument("--alone_as", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone_as:
        alone_as(options.alone_as, options.sentence)
    if options.sentence:
        one_rank(options.sentence)
    if options.check:
        for row in CHECKS[options.check][0]():
            print(json.dumps(asdict(row)), flush=True)
        return 0
    if unknown := set(options.checks) - CHECKS.keys():
        parser.error(f"there is no check {', '.join(unknown)}; there is {', '.join(CHECKS)}")
    name = "cpu (dry run)" if DRY else torch.cuda.get_device_name().replace("/", " ")
    path = FOLDER / f"{name}.json"
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = json.loads(path.read_text())["checks"] if path.exists() else {}
    chosen = options.checks or list(CHECKS)
    spare = float(MINUTES * 60 - sum(CHECKS[each][1] for each in chosen))
    for each in chosen:
        limit = DRY_LIMIT if DRY else CHECKS[each][1] + spare
        found[each] = attempt(each, limit)
        spare = max(0.0, limit - found[each]["seconds"])
        print(f"{each}: {found[each]['seconds']} s", file=sys.stderr, flush=True)
        for row in found[each]["rows"]:
            print(f"  {'' if row['right'] else 'WRONG '}{row['what']}: {row['value']}", file=sys.stderr, flush=True)
        ordered = {key: found[key] for key in CHECKS if key in found}
        path.write_text(json.dumps({"environment": environment(), "checks": ordered}, indent=2) + "\n")
        (FOLDER / "README.md").write_text(table())
    return sum(not row["right"] for each in chosen for row in found[each]["rows"])


if __name__ == "__main__":
    sys.exit(min(main(), 1))
