"""What is said once, before the first `cli`, and is no component's business."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import click

from semeqv.grammar.component import MOST, check_bounds

ACCELERATORS = ("cuda", "mps", "xpu")


class SeedWords(click.ParamType[str]):
    """Seeds one by one or as a range: `42`, `42,43`, `42..46`."""

    name = "seed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read one word, an integer or a range of them, which stays text until all are known."""
        if isinstance(value, int) or re.fullmatch(r"\d+(\.\.\d+)?", str(value)):
            return str(value)
        self.fail(f"{value!r} is neither a seed nor a range of seeds such as 42..46.", param, ctx)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Train, probe and compare language models of word meaning.

    A run is a sentence. Each `cli` starts a segment, which names one component or one action; the last one is an
    action. The order of the segments does not matter. Put the word `help` anywhere to see what can stand there.

    \b
    Example:
      semeqv --seed 42 --epochs 3 cli xor dataset default cli xor model transformer
        cli loss cross-entropy cli optimizers adamw cli train

    Args:
        seed: Seed of everything that is sampled: initial weights, training data.
        seeds: Several seeds, one by one or as a range (42..46): one run each. Replicas of small models train as
            one program.
        epochs: Passes over the training split; with --accumulation, of the whole steps that its batches make.
        steps: Training steps, instead of epochs.
        etv: Epochs between two validations.
        stv: Steps between two validations, instead of epochs.
        record_steps: Steps between two records of training in metrics.jsonl; a hundredth of the run, at least 50, if
            left out.
        device: Where to compute; `auto` takes a GPU when there is one.
        precision: Numbers in forward and backward passes; the weights stay in fp32. `auto` is bf16 where the device
            computes it natively, else fp32.
        accumulation: Batches whose gradients add up to one step.
        clip: Largest norm of the gradient; larger ones are scaled down.
        skip_nonfinite: Steps that may be skipped because their loss or gradient is not finite, before the run stops;
            none if left out. The batch of each is kept in the run's folder.
        compile: Whether to compile the training step; `auto` compiles the replicas of long runs.
        threads: Threads of a CPU run; all cores if left out.
        strategy: How several processes (torchrun) share the work: a copy of the model in each (ddp), or shards of
            model, gradients and optimizer state (fsdp). Each takes its rows of every batch.
        processes: Processes that there should be; the run is refused when torchrun started more or fewer.
        timeout: Minutes to wait for a process that does not answer.
        deterministic: Compute with deterministic kernels alone, so that a run on a GPU gives the same bits each time
            (slower); a run on a CPU does so anyway.
        detect_anomaly: Let autograd name the operation that made a NaN (slow).
        trainbar: Show the progress of the batches of an epoch.
        validbar: Show the progress of a validation.
        testbar: Show the progress of a test.
        epochbar: Show the progress of the whole run.
        output: Folder of the run; `runs/` and a readable name if left out.
        overwrite: Replace a run that is already in the folder.
    """

    either: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("seed", "seeds"),
        ("epochs", "steps"),
        ("etv", "stv"),
    )  # one replaces the other

    seed: int = 42
    seeds: tuple[Annotated[str, SeedWords()], ...] = ()
    epochs: int = 1
    steps: int | None = None
    etv: int = 1
    stv: int | None = None
    record_steps: int | None = None
    device: str = "auto"
    precision: Literal["auto", "fp32", "tf32", "bf16", "fp16"] = "fp32"
    accumulation: int = 1
    clip: float | None = None
    skip_nonfinite: int = 0
    compile: bool | Literal["auto"] = "auto"
    threads: int | None = None
    strategy: Literal["ddp", "fsdp"] = "ddp"
    processes: int | None = None
    timeout: float = 10.0
    deterministic: bool = False
    detect_anomaly: bool = False
    trainbar: bool = True
    validbar: bool = True
    testbar: bool = True
    epochbar: bool = True
    output: Path | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_bounds(self, seed=0, epochs=1, steps=1, etv=1, stv=1, record_steps=1)
        check_bounds(self, accumulation=1, threads=1, skip_nonfinite=0, processes=1)
        if (self.threads or 0) > 1024:
            raise ValueError(f"--threads must be at most 1024, not {self.threads}.")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"--clip must be above 0, not {self.clip}.")
        if not self.timeout > 0:
            raise ValueError(f"--timeout must be above 0, not {self.timeout}.")
        if self.strategy == "fsdp" and self.precision == "fp16":
            raise ValueError("--strategy fsdp does not scale losses as --precision fp16 must; use bf16.")
        if not re.fullmatch(rf"auto|cpu|({'|'.join(ACCELERATORS)})(:\d+)?", self.device):
            kinds = ", ".join(ACCELERATORS)
            raise ValueError(f"--device must be auto, cpu, {kinds}, or one of several (cuda:1), not {self.device!r}.")
        seeds = self.every_seed
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"--seeds names a seed twice: {' '.join(self.seeds)}.")

    @property
    def every_seed(self) -> tuple[int, ...]:
        """The seeds of the runs."""
        if not self.seeds:
            return (self.seed,)
        found: list[int] = []
        for word in self.seeds:
            first, _, last = str(word).partition("..")
            seeds = range(int(first), int(last or first) + 1)
            if not seeds:
                raise ValueError(f"--seeds {word} is empty; write the smaller seed first.")
            if seeds[-1] >= MOST or seeds[-1] - seeds[0] >= 100_000:
                raise ValueError(f"--seeds {word}: a seed is below 2^63, and no range longer than 100,000.")
            found += seeds
        return tuple(found)
