"""Ways of running a sentence that show what a check looks for: python -m benchmarks.gpu.ways WAY --device cuda ..."""

import contextlib
import itertools
import math
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from benchmarks.gpu.device import DRY
from benchmarks.gpu.sentences import tell

WARM, WATCHED = (2, 5) if DRY else (10, 50)  # steps before waits for the device are counted, and while they are


def alone_as(strategy: str) -> None:
    """Let the one process compute as one of several does, by a strategy."""
    from torch import distributed

    from semeqv.train import preparation

    backend = "gloo" if DRY else "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, store=distributed.HashStore(), rank=0, world_size=1)
    preparation.Alone = preparation.STRATEGIES[strategy]  # type: ignore[misc]


def share_device() -> None:
    """Let several processes share the first device, which NCCL refuses: they meet by gloo."""
    from torch import distributed

    os.environ["LOCAL_RANK"] = "0"
    join = distributed.init_process_group
    distributed.init_process_group = lambda backend, **how: join("gloo", **how)


def spoil() -> None:
    """Let the loss of the third batch be NaN."""
    from semeqv.train.step import EagerStep

    told, calls = EagerStep.told, itertools.count(1)

    def spoiled(self: Any, *given: Any) -> Any:
        metrics, outputs = told(self, *given)
        factor = math.nan if next(calls) == 3 else 1.0
        return {**metrics, "loss": metrics["loss"] * factor}, outputs

    EagerStep.told = spoiled


def count_graphs() -> None:
    """Count the widths of batches, the graphs that are compiled, and those of the second half of the steps.

    In a dry run the graphs are not compiled but run as they are: they are the same ones.
    """
    from torch._dynamo.utils import counters

    from semeqv.train.trainer import Trainer

    if DRY:
        compiler = torch.compile
        torch.compile = lambda function, options, **how: compiler(function, backend="eager", **how)
    finish_step, graphs = Trainer.finish_step, list[int]()

    def finish_and_count(self: Any, metrics: Any = None) -> Any:
        graphs.append(counters["stats"]["unique_graphs"])
        if self.step == self.last_step:
            batches = itertools.islice(self.trainsplit.stream(self.seeds[0]), self.step)
            widths = {batch["input_ids"].shape[-1] for batch in batches}
            tell({"widths": len(widths), "graphs": graphs[-1], "late": graphs[-1] - graphs[len(graphs) // 2]})
        return finish_step(self, metrics)

    Trainer.finish_step = finish_and_count


def count_waits() -> None:
    """Count how often the device is waited for in some warm steps; nothing is counted on a CPU."""
    from semeqv.train.trainer import Trainer

    finish_step, watching, found = Trainer.finish_step, contextlib.ExitStack(), list[Any]()

    def finish_and_count(self: Any, metrics: Any = None) -> Any:
        nonlocal found
        done = finish_step(self, metrics)
        if self.step == WARM:
            found = watching.enter_context(warnings.catch_warnings(record=True))
            warnings.simplefilter("always")
            if not DRY:
                torch.cuda.set_sync_debug_mode("warn")
                watching.callback(torch.cuda.set_sync_debug_mode, "default")
        if self.step == WARM + WATCHED:
            watching.close()
            tell(sum("called a synchronizing" in str(each.message) for each in found))
        return done

    Trainer.finish_step = finish_and_count


WAYS: dict[str, Callable[[], None]] = {
    "ddp": partial(alone_as, "ddp"),
    "fsdp": partial(alone_as, "fsdp"),
    "shared device": share_device,
    "NaN": spoil,
    "graphs": count_graphs,
    "waits": count_waits,
}

if __name__ == "__main__":
    from semeqv import cli

    WAYS[sys.argv[1]]()
    cli.main(sys.argv[2:])
