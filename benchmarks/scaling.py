"""What 1, 8 and 64 GPUs would need, from sizes that are measured on one CPU: `make docs/scaling.md`.

A forward pass over a few rows counts the bytes that autograd keeps for the backward pass, in the precision of training;
weights and blocks are counted. The rest is arithmetic, which the page states.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
GPUS = (1, 8, 64)
MEMORY = 80  # GB of an H100
FLOPS = 989e12 * 0.4  # an H100 in bf16, of which 40% is what good training programs reach
WITHIN, BETWEEN = 450e9, 50e9  # bytes a second and direction: NVLink within a machine, a 400 Gb/s link between machines
MACHINE = 8


@dataclass
class Sizes:
    """The sizes of a model in training.

    Args:
        name: Of the model.
        length: Tokens of a row.
        rows: Rows of a batch, for all GPUs together.
        parameters: All of its numbers.
        block: The numbers of the largest part that FSDP gathers at once.
        kept: Bytes a row that autograd keeps for the backward pass.
    """

    name: str
    length: int
    rows: int
    parameters: int
    block: int
    kept: float


class OnlyShapes(TorchDispatchMode):
    """Leave matrix products uncomputed: what is kept of them has a size and needs no values."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function._schema.name.removeprefix("aten::")
        if name in ("mm", "addmm", "bmm"):
            left, right = args[-2:]
            return left.new_zeros(*left.shape[:-1], right.shape[-1])
        return function(*args, **(kwargs or {}))


def kept_bytes(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> int:
    """Return the bytes that a forward pass keeps for the backward pass, weights left out."""
    weights = {each.untyped_storage().data_ptr() for each in model.parameters()}
    seen: dict[int, int] = {}
    alive = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            seen[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # so that no other tensor takes its place
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", torch.bfloat16), OnlyShapes():
        model.train()(**batch)
    return sum(seen.values())


def measured(name: str, make: Callable[[], Any], length: int, rows: int, blocks: str) -> Sizes:
    """Measure a model.

    Args:
        name: What to call it.
        make: Makes it.
        length: Tokens of a row.
        rows: Rows of a batch in training.
        blocks: The class of its blocks.

    Returns:
        Its sizes. Autocast keeps a copy of the weights in bf16, too, which is the same for one row and for two.
    """
    torch.manual_seed(0)
    model = make()
    ids = torch.randint(5, 1000, (2, length))
    one, two = (kept_bytes(model, {"input_ids": ids[:n], "labels": ids[:n]}) for n in (1, 2))
    count = [sum(p.numel() for p in each.parameters()) for each in model.modules() if type(each).__name__ == blocks]
    parameters = sum(p.numel() for p in model.parameters())
    return Sizes(name, length, rows, parameters, max(*count, parameters - sum(count)), two - one)


class Words:
    """A data set of the tokens of GPT-2."""

    vocabulary_size = 50_257


def backpack() -> Any:
    """The Backpack of 170M parameters of the paper."""
    from backpack.model import Backpack

    return Backpack(preset="paper-small").build(dataset=Words())


def encoder() -> Any:
    """XLM-R base, with its masked-language-model head."""
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    config = XLMRobertaConfig(vocab_size=250_002, max_position_embeddings=514, type_vocab_size=1)
    return XLMRobertaForMaskedLM(config)


def rows_of(sizes: Sizes) -> list[str]:
    """Return the rows of the table of one model."""
    p, tokens, lines = sizes.parameters, sizes.rows * sizes.length, []
    for n in GPUS:
        share = (n - 1) / n
        link = WITHIN if n <= MACHINE else BETWEEN
        compute = 6 * p * tokens / n / FLOPS
        plans = {"ddp": 18 * p, "fsdp": 16 * p / n + 8 * sizes.block}
        for strategy, held in plans.items():
            if n == 1 and strategy == "fsdp":
                continue
            fit = max(1, int((0.9e9 * MEMORY - held) // sizes.kept))
            passes = -(-sizes.rows // (n * fit))
            rows = -(-sizes.rows // (n * passes))
            sent = 8 * p * share
            cells = [
                sizes.name,
                n,
                strategy,
                f"{held / 1e9:.1f}",
                f"{rows} x {passes}",
                f"{rows * sizes.kept / 1e9:.1f}",
            ]
            cells += [f"{sent / 1e9:.2f}", f"{compute * 1e3:,.0f}", f"{sent / link * 1e3:,.0f}"]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


TEXT = f"""# What 8 and 64 GPUs need

Computed, not tried. Sizes are measured on a CPU in bf16 (`make docs/scaling.md`); the rest is arithmetic:

- *Held*: with DDP 18 bytes a parameter (weights, gradients and two moments of Adam in fp32, and the copy of the weights
  that autocast makes in bf16). With FSDP a share of 16 of them; the largest block is whole in bf16 twice, and its
  gradient in fp32 once.
- *Rows x passes*: the rows of a GPU in one pass, as many as fit into 90% of {MEMORY} GB, and the passes of a step
  (`--accumulation`). *Kept* is what autograd keeps of those rows for the backward pass.
- *Sent*: bytes that each GPU sends in a step, 8 (n - 1) / n a parameter. DDP sums gradients in fp32, which passes each
  number twice; FSDP gathers weights in bf16 twice and sums gradients in fp32.
- *Compute*: 6 operations a parameter and token, at 40% of the 989 TFLOP/s of an H100 in bf16.
- *Exchange*: at {WITHIN / 1e9:.0f} GB/s within a machine of {MACHINE} GPUs, at {BETWEEN / 1e9:.0f} GB/s a GPU between
  machines. It overlaps with computing in part: a step takes at least the longer of the two, at most their sum.
"""


def page(found: list[Sizes]) -> str:
    """Return the page."""
    sizes = (
        f"| {each.name} | {each.parameters / 1e6:.0f}M | {each.rows:,} | {each.length:,} | {each.kept / 1e6:,.0f} |"
        for each in found
    )
    lines = [
        TEXT,
        "| model | parameters | rows of a batch | tokens of a row | kept a row, MB |",
        "|---|---|---|---|---|",
        *sizes,
        "",
        "| model | GPUs | strategy | held, GB | rows x passes | kept, GB | sent, GB | compute, ms | exchange, ms |",
        "|---|---|---|---|---|---|---|---|---|",
        *(line for each in found for line in rows_of(each)),
        "",
        "Both models fit into one GPU, so `--strategy ddp` is enough. FSDP is for models whose 18 bytes a parameter",
        "leave no room for rows: from about three billion parameters on.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure both models and write the page."""
    found = []
    for name, make, length, rows, blocks in (
        ("Backpack, paper-small", backpack, 512, 1024, "GPT2Block"),
        ("XLM-R base", encoder, 512, 1024, "XLMRobertaLayer"),
    ):
        print(f"{name} ...", file=sys.stderr, flush=True)
        found.append(measured(name, make, length, rows, blocks))
    PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
