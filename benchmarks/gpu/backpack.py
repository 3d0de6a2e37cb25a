"""A Backpack: gradients, training and generation against those of the CPU."""

import copy
from collections.abc import Iterator
from functools import partial

import torch

from benchmarks.gpu.device import DEVICE, DRY, PRECISIONS
from benchmarks.gpu.rows import Row, close, largest, losses, seconds_of
from benchmarks.gpu.sentences import ADAMW, BABEL, TOKENIZER, say, side_by_side


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
