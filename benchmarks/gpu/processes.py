"""What several processes do: DDP and FSDP in one process, and two processes on one device."""

import itertools
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from benchmarks.gpu.device import DEVICE, PRECISIONS
from benchmarks.gpu.rows import Row, close, losses
from benchmarks.gpu.sentences import ADAMW, ENCODER, MASKED, by_two, say, side_by_side


def sharded() -> Iterator[Row]:
    """DDP and FSDP in one process, which has all rows and the one shard: four steps, a checkpoint, four more."""
    rest = f"--record_steps 1 {MASKED} {ENCODER} {ADAMW} cli savers default-saver --resume cli train"
    tried = (("ddp", "fp32"), *(("fsdp", each) for each in PRECISIONS))
    reference = partial(say, f"--steps 8 --output cpu {rest}", device="cpu")
    for steps in (4, 8):
        side_by_side(
            *([reference] if steps == 8 else []),
            *(
                partial(say, f"--precision {each} --steps {steps} --output {how}-{each} {rest}", way=how)
                for how, each in tried
            ),
        )
    shards = list(Path("fsdp-fp32/checkpoints").glob("*/optimizer/*.safetensors"))
    yield Row("fsdp: the optimizer's state is in shards", str(bool(shards)), "True", bool(shards))
    for how, each in tried:
        what = f"{how}, {each}: losses of 8 steps, resumed after 4, against the CPU's without {how}"
        yield close(what, losses(f"{how}-{each}"), losses("cpu"), 1e-3 if each == "fp32" else 0.02)


def ranks() -> Iterator[Row]:
    """Two processes on one device, by gloo: odd rows, and the losses of one; a loss that needs all rows."""
    few = MASKED.replace("--batch_size 16", "--batch_size 5")
    rest = f"--steps 10 --record_steps 1 {few} {ENCODER} {ADAMW} cli train"
    done = by_two("benchmarks.gpu.ways", "shared device", "--device", DEVICE, "--output", "two", *rest.split())
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    say(f"--output one {rest}")
    yield close("DDP, two processes of one device: losses against one process", losses("two"), losses("one"), 1e-4)
    yield from hypernetworks()


def hypernetworks() -> Iterator[Row]:
    """Hypernetworks in one process, and in two, which their loss does not allow: it compares all rows of a batch."""
    for network in ("bilstm", "setformer"):
        train_hypernetwork(network, DEVICE, network)
        train_hypernetwork(network, "cpu", f"{network}-cpu")
        what = f"hypernetwork, {network}: losses against the CPU's"
        yield close(what, losses(network), losses(f"{network}-cpu"), 1e-3)
    done = by_two("benchmarks.gpu.processes")
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    codes = re.findall(r"exitcode *: (\d+)", done.stderr)
    right = bool(lines) and "all rows of a batch" in lines[0] and codes[:1] == ["2"]
    found = f"exit code {', '.join(codes)}: {' '.join(lines[:1])[:80]}"
    yield Row("hypernetwork, two processes", found, "2, and a line that says why", right)


class WordSets:
    """Random sets of word vectors, of one to five words, and coordinates for them."""

    def __len__(self) -> int:
        return 10

    def stream(self, seed: int, start: int = 0) -> Iterator[dict[str, torch.Tensor]]:
        for i in itertools.count(start):
            random = torch.Generator().manual_seed(i)
            yield {
                "vectors": torch.randn(6, 5, 8, generator=random),
                "mask": torch.arange(5) < torch.randint(1, 6, (6, 1), generator=random),
                "labels": torch.randn(6, 4, generator=random),
            }


def train_hypernetwork(network: str, device: str, folder: str) -> None:
    """Train a small hypernetwork for ten steps."""
    from ofa.hypernetwork.networks import Hypernetwork, HypernetworkConfig
    from semeqv.train.optimizers import AdamW
    from semeqv.train.trainer import Trainer

    torch.manual_seed(0)
    sizes = {"width": 8, "kept": 4, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    trainer = Trainer().set_model(Hypernetwork(HypernetworkConfig(network=network, dropout=0.0, **sizes)))
    trainer.set_optimizer(AdamW()).set_trainsplit(WordSets()).set_steps(10).set_record_steps(1).set_device(device)
    trainer.set_output(folder).set_bars(False, False, False, False).train()


if __name__ == "__main__":
    from semeqv.runs.exits import exit_after

    exit_after(partial(train_hypernetwork, "bilstm", DEVICE, "two hypernetworks"))
