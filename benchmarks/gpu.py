"""The checks that need a GPU, within eight minutes: `make gpu`. On a machine without one it is a dry run on the CPU.

    python -m benchmarks.gpu                every check
    python -m benchmarks.gpu backpack ranks     these alone; the others keep their rows

Every check is a process of its own with a time limit, as an assertion on the device ends the process. The rows are
written to benchmarks/results/gpu/DEVICE.json, and the tables of all devices to benchmarks/results/gpu/README.md.
"""

import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from benchmarks.paired import RESULTS, environment

FOLDER = RESULTS / "gpu"
DRY = not torch.cuda.is_available()
DEVICE = "cpu" if DRY else "cuda"
BF16 = "fp32" if DRY else "bf16"
SEMEQV = [sys.executable, "-m", "semeqv"]


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


def say(line: str, *, device: str = DEVICE, code: int = 0, ranks: int = 0) -> str:
    """Run a sentence in the current folder; returns what it printed."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={ranks}"]
    command = [*(launcher if ranks else [sys.executable]), "-m", "semeqv", "--device", device, *line.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"exit code {done.returncode}: semeqv {line}\n{done.stderr[-1500:]}")
    return done.stdout + done.stderr


def losses(folder: str, split: str = "train") -> list[float]:
    """The losses of a run, in order."""
    lines = map(json.loads, Path(folder, "metrics.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if line["split"] == split]


def rate(folder: str) -> float:
    """Steps a second of a run, its compilation counted."""
    record = json.loads(Path(folder, "run.json").read_text())
    return float(record["steps"] / record["seconds"])


def gap(one: list[float], other: list[float]) -> float:
    """The largest relative difference between two lists of losses."""
    if len(one) != len(other) or not one:
        return math.inf
    return max(abs(a - b) / abs(b) for a, b in zip(one, other))


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
        yield Row(f"{how}: steps a second of four replicas", f"{rate(f'device{how}/42-transformer'):.0f}")


MASKED = "cli tokenizer bpe --vocab_size 1000 cli dataset babel --block_size 64 --batch_size 16 --objective masked"
ENCODER = "cli model encoder --layers 2 --heads 4 --embedding_size 128"
ADAMW = "cli optimizers adamw --learning_rate 1e-3"


def masked() -> Iterator[Row]:
    """A small masked language model: precisions, accumulation, clipping; stopped and resumed."""
    steps = 8 if DRY else 200
    settings = f"--steps {steps} --accumulation 2 --clip 1 --record_steps {steps // 4}"
    rest = f"{MASKED} {ENCODER} {ADAMW} cli savers default-saver --minutes 1000 --resume cli train"
    say(f"{settings} --output reference {rest}", device="cpu")
    reference = losses("reference")
    for precision in ("fp32",) if DRY else ("fp32", "tf32", "bf16", "fp16"):
        say(f"{settings} --precision {precision} --output {precision} {rest}")
        yield close(f"{precision}: losses against fp32 on the CPU", losses(precision), reference, 0.05)
    deterministic = f"{settings} --deterministic"
    say(f"{deterministic} --output whole {rest}")
    stopped = subprocess.Popen(
        [*SEMEQV, "--device", DEVICE, *f"{deterministic} --output stopped {rest}".split()],
        stderr=subprocess.PIPE,
        text=True,
    )
    while stopped.poll() is None and not Path("stopped/run.json").exists():
        time.sleep(0.05)
    time.sleep(0 if DRY else 2)
    stopped.send_signal(signal.SIGUSR1)
    said = stopped.communicate()[1]
    yield Row("USR1", f"exit code {stopped.returncode}", "75", stopped.returncode == 75 or "Stopped" not in said)
    say(f"{deterministic} --output stopped {rest}")
    yield close("--deterministic: stopped and resumed against uninterrupted", losses("stopped"), losses("whole"), 0.0)


def backpack() -> Iterator[Row]:
    """Mixing against the plain sum, and generation against that of the CPU."""
    yield from formula()
    steps = 10 if DRY else 200
    data = "cli tokenizer bpe --vocab_size 1000 cli dataset babel --block_size 320 --batch_size 8"
    model = "cli model backpack --layers 2 --heads 4 --embedding_size 128 --senses 8 --block_size 320"
    for precision in dict.fromkeys(("fp32", BF16)):
        line = f"--steps {steps} --record_steps {steps // 5} {data} {model} {ADAMW} cli train"
        say(f"--precision {precision} --output {precision} {line}")
        yield Row(f"{precision}: steps a second", f"{rate(precision):.1f}")
    say(
        f"--precision fp32 --output cpu --steps {steps} --record_steps {steps // 5} {data} {model} {ADAMW} cli train",
        device="cpu",
    )
    yield close("fp32: losses against the CPU's, 320 tokens", losses("fp32"), losses("cpu"), 2e-3)
    if not DRY:
        yield close("bf16: losses against fp32", losses("bf16"), losses("fp32"), 0.05)
    line = "cli model load --from cpu cli generate --prompt a --max_new_tokens 20 --temperature 0"
    same = say(line) == say(line, device="cpu")
    yield Row("greedy generation", "the CPU's tokens" if same else "other tokens", "the CPU's tokens", same)


def formula() -> Iterator[Row]:
    """Logits and gradients of a small Backpack on the device and on the CPU, at several lengths, with padding."""
    import copy

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
        found = max(
            float((a.grad - b.grad.cpu()).norm() / a.grad.norm())
            for a, b in zip(here.parameters(), there.parameters())
            if a.grad is not None and a.grad.norm() > 0
        )
        yield Row(
            f"gradients at {length} tokens, padded, against the CPU's", f"{found:.1e}", "up to 1e-3", found < 1e-3
        )


def sharded() -> Iterator[Row]:
    """DDP and FSDP in one process and in one shard: a step, a checkpoint, a resumed step."""
    rest = f"{MASKED} {ENCODER} {ADAMW} cli savers default-saver --etc 1 --resume cli train"
    for strategy in ("ddp", "fsdp"):
        for precision in dict.fromkeys(("fp32", BF16)):
            name, settings = (
                f"{strategy}-{precision}",
                f"--strategy {strategy} --precision {precision} --record_steps 1",
            )
            say(f"{settings} --steps 4 --output {name} {rest}", ranks=1)
            say(f"{settings} --steps 8 --output {name} {rest}", ranks=1)
            yield Row(f"{strategy}, {precision}: resumed", f"{len(losses(name))} records", "8", len(losses(name)) == 8)


def ranks() -> Iterator[Row]:
    """Two processes on one device, by gloo: odd rows, and the losses of one."""
    line = (
        f"--steps 10 --record_steps 1 {MASKED.replace('--batch_size 16', '--batch_size 5')} {ENCODER} {ADAMW} cli train"
    )
    say(f"--output one {line}")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = [*launcher, "-m", "benchmarks.gpu", "--rank", f"--device {DEVICE} --output two {line}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    yield close("DDP, two processes of one device: losses against one process", losses("two"), losses("one"), 1e-4)


def one_rank(line: str) -> None:
    """Run a sentence as one of several processes that share the first device."""
    from semeqv import cli
    from semeqv.engine import build, regime, trainer

    def place(name: str, world: object = None, option: str = "--device") -> torch.device:
        return torch.device(DEVICE, 0) if DEVICE == "cuda" else torch.device("cpu")

    for module in (build, regime, trainer):
        if hasattr(module, "torch_device"):
            module.torch_device = place  # type: ignore[attr-defined]
    cli.main(line.split())


def compiled() -> Iterator[Row]:
    """Compiled modules on rows of many lengths."""
    steps = 6 if DRY else 150
    data = "cli tokenizer bpe --vocab_size 1000 cli dataset babel --batch_size 8 --no-packing"
    models = {
        "gpt2": f"{data} cli model gpt2 --layers 2 --heads 4 --embedding_size 128",
        "backpack": f"{data} cli model backpack --layers 2 --heads 4 --embedding_size 128 --senses 4",
        "encoder": f"{data} --objective masked {ENCODER}",
    }
    for name, parts in models.items():
        for how in ("--no-compile",) if DRY else ("--compile", "--no-compile"):
            settings = f"--steps {steps} --record_steps {steps} {how} --precision {BF16}"
            say(f"{settings} --output {name}{how} {parts} {ADAMW} cli train")
            yield Row(f"{name} {how}: seconds for {steps} steps", f"{steps / rate(f'{name}{how}'):.1f}")
        if not DRY:
            yield close(
                f"{name}: compiled against eager", losses(f"{name}--compile"), losses(f"{name}--no-compile"), 0.02
            )


def measures() -> Iterator[Row]:
    """What models are measured by, in two precisions, against the CPU."""
    text = "cli dataset babel --block_size 64"
    say(
        f"--steps {8 if DRY else 150} --output lm cli tokenizer bpe --vocab_size 1000 {text} cli model gpt2 --layers 2 "
        f"--heads 4 --embedding_size 128 {ADAMW} cli train",
        device="cpu",
    )
    sentences = {
        "perplexity": f"cli model load --from lm {text} --documents 100 --split validation cli perplexity",
        "retrieval": "cli model load --from lm cli retrieval --corpus babel --sentences 200 --layer all",
    }
    for name, line in sentences.items():
        say(f"--output {name}-cpu {line}", device="cpu")
        for precision in dict.fromkeys(("fp32", BF16)):
            say(f"--precision {precision} --output {name}-{precision} {line}")
            one, other = numbers(f"{name}-{precision}"), numbers(f"{name}-cpu")
            yield close(f"{name}, {precision}: against the CPU", one, other, 1e-3 if precision == "fp32" else 0.1)
    tags = "cli dataset babel-tags --documents 100"
    parts = f"cli model token-classifier --from lm {tags} {tags} --split test --name test {ADAMW}"
    for precision in dict.fromkeys(("fp32", BF16)):
        say(f"--steps 20 --precision {precision} --output tagger-{precision} {parts} cli train cli test")
        yield Row(f"tagger, {precision}", f"loss {losses(f'tagger-{precision}', 'test')[0]:.3f}")


def numbers(folder: str) -> list[float]:
    """The numbers that a measurement wrote."""
    lines = map(json.loads, Path(folder, "metrics.jsonl").read_text().splitlines())
    return [each for line in lines for each in line.values() if isinstance(each, float) and each > 0.01]


def speed() -> Iterator[Row]:
    """GPT-2 small under the Trainer: steps a second, memory, idle share; beside the Trainer of transformers."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from benchmarks.step import Tokens
    from semeqv.engine.optimizers import AdamW
    from semeqv.engine.trainer import Trainer

    rows, length, steps = (1, 32, 3) if DRY else (16, 1024, 20)
    config = GPT2Config(n_layer=2 if DRY else 12, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, use_cache=False)
    data = Tokens(rows, length)

    def ours(count: int) -> Trainer:
        torch.manual_seed(0)
        trainer = Trainer().set_model(GPT2LMHeadModel(config)).set_optimizer(AdamW(learning_rate=1e-4)).set_steps(count)
        return trainer.set_trainsplit(data).set_device(DEVICE).set_precision(BF16).set_bars(train=False, epoch=False)

    ours(2).train()  # warm
    if not DRY:
        torch.cuda.reset_peak_memory_stats()
    trainer = ours(steps)
    start = time.perf_counter()
    trainer.train()
    seconds = (time.perf_counter() - start) / steps
    parameters = sum(each.numel() for each in trainer.models[0].parameters())
    flops = 6 * parameters * rows * length + 12 * config.n_layer * config.n_embd * length**2 * rows
    yield Row("tokens a second", f"{rows * length / seconds:,.0f}")
    yield Row("TFLOP/s, by 6 N a token and attention", f"{flops / seconds / 1e12:.1f}")
    if DRY:
        return
    yield Row("peak memory", f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as found:
        start = time.perf_counter()
        ours(steps).train()
        torch.cuda.synchronize()
        wall = time.perf_counter() - start
    busy = sum(each.self_device_time_total for each in found.key_averages()) / 1e6
    yield Row("share of the time in which no kernel runs", f"{max(0.0, 1 - busy / wall):.2f}")
    theirs = theirs_seconds(config, data, steps)
    yield Row("tokens a second of the Trainer of transformers", f"{rows * length / theirs:,.0f}")
    yield Row("ours / theirs", f"{theirs / seconds:.2f}", "at least 1", theirs >= seconds)


def theirs_seconds(config: object, data: object, steps: int) -> float:
    """Seconds a step of the Trainer of transformers, with the same model, batches and precision."""
    from torch.utils.data import IterableDataset
    from transformers import GPT2LMHeadModel, Trainer, TrainingArguments

    class Batches(IterableDataset):
        def __iter__(self):
            return data.stream(0)

    took = []
    for count in (2, steps):
        arguments = TrainingArguments(
            "theirs", max_steps=count, bf16=True, learning_rate=1e-4, report_to=[], save_strategy="no",
            disable_tqdm=True, logging_steps=1000, per_device_train_batch_size=1, max_grad_norm=0,
            optim="adamw_torch_fused",
        )  # fmt: skip
        trainer = Trainer(
            GPT2LMHeadModel(config), arguments, train_dataset=Batches(), data_collator=lambda rows: rows[0]
        )
        start = time.perf_counter()
        trainer.train()
        torch.cuda.synchronize()
        took.append((time.perf_counter() - start) / count)
    return took[-1]


def errors() -> Iterator[Row]:
    """An id beyond the model, last: on CUDA it would end the process."""
    data = "cli tokenizer bpe --vocab_size 1000 cli dataset babel --block_size 64"
    model = "cli model gpt2 --layers 1 --heads 1 --embedding_size 8"
    say(f"--steps 2 --output small {data.replace('1000', '400')} {model} {ADAMW} cli train")
    said = say(f"--steps 2 --output beyond {data} cli model load --from small {ADAMW} cli train", code=2)
    last = said.strip().splitlines()[-1]
    yield Row("a tokenizer with more tokens than the model", last[:100], "one line", last.startswith("Error"))


CHECKS = {
    each.__name__: (each, limit)
    for each, limit in (
        (machine, 60), (replicas, 150), (masked, 150), (backpack, 120), (sharded, 120), (ranks, 90), (compiled, 150),
        (measures, 120), (speed, 120), (errors, 60),
    )
}  # fmt: skip


def attempt(name: str) -> dict:
    """Do a check in a process and a folder of its own; returns its rows and seconds."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="semeqv-gpu-") as folder:
        command = [sys.executable, "-m", "benchmarks.gpu", "--check", name]
        paths = f"{Path(__file__).parents[1]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        environment = {**os.environ, "PYTHONPATH": paths, "SEMEQV_CACHE": f"{folder}/cache"}
        limit = None if DRY else CHECKS[name][1]
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=limit, check=False
            )
            rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"what"')]
            if done.returncode:
                wrong = done.stderr.strip().splitlines() or ["no output"]
                rows.append(asdict(Row(name, " | ".join(wrong[-3:])[-300:], "ends without an error", False)))
        except subprocess.TimeoutExpired:
            rows = [asdict(Row(name, "too long", f"within {limit} s", False))]
    return {"rows": rows, "seconds": round(time.monotonic() - start, 1)}


def table() -> str:
    """The tables of all devices, in Markdown."""
    lines = ["# On a GPU", "", "Made by `make gpu`. A dry run on a CPU shows that the checks run, and no more.", ""]
    for path in sorted(FOLDER.glob("*.json")):
        found = json.loads(path.read_text())
        where = ", ".join(f"{key} {value}" for key, value in found["environment"].items())
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
        lines += ["", f"{sum(check['seconds'] for check in found['checks'].values()):.0f} seconds in all.", ""]
    return "\n".join(lines)


def main() -> int:
    """Do the checks; returns the number of rows that are wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"one of {', '.join(CHECKS)}; all if left out")
    parser.add_argument("--check", help=argparse.SUPPRESS)
    parser.add_argument("--rank", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rank:
        one_rank(options.rank)
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
    for each in options.checks or CHECKS:
        found[each] = attempt(each)
        print(f"{each}: {found[each]['seconds']} s", file=sys.stderr, flush=True)
        for row in found[each]["rows"]:
            print(f"  {'' if row['right'] else 'WRONG '}{row['what']}: {row['value']}", file=sys.stderr, flush=True)
        ordered = {key: found[key] for key in CHECKS if key in found}
        path.write_text(json.dumps({"environment": environment(), "checks": ordered}, indent=2) + "\n")
        (FOLDER / "README.md").write_text(table())
    return sum(not row["right"] for check in found.values() for row in check["rows"])


if __name__ == "__main__":
    sys.exit(min(main(), 1))
