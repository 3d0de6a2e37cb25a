"""A GPT-2 step under the Trainer against the same step in a bare loop, and what saving it costs.

The peer is what one would write by hand around `transformers.GPT2LMHeadModel`: forward under autocast, backward,
clip_grad_norm_, fused AdamW, zero_grad. Both have the same weights, batches and settings; their losses are compared
first, and must be equal to the bit. On a GPU the same rows are measured there, with a larger batch.
"""

import copy
import shutil
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from benchmarks.paired import Row, pairs, summary
from semeqv.train.optimizers import AdamW
from semeqv.train.saver import DefaultSaver
from semeqv.train.trainer import Trainer

VOCABULARY = 50_257
STEPS = 4  # in a round


class Tokens:
    """Random tokens, batch after batch.

    Args:
        rows: Sequences in a batch.
        length: Tokens in a sequence.
    """

    def __init__(self, rows: int, length: int):
        generator = torch.Generator().manual_seed(0)
        self.tokens = torch.randint(VOCABULARY, (64, rows, length), generator=generator)

    def __len__(self):
        return 1_000_000

    def batch(self, position):
        ids = self.tokens[position % len(self.tokens)]
        return {"input_ids": ids, "labels": ids}

    def stream(self, seed, start=0):
        while True:
            yield self.batch(start)
            start += 1


def measured(precision: str, clip: float | None, device: torch.device) -> list[Row]:
    """The rows of one precision."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    on_gpu = device.type == "cuda"
    data = Tokens(*((16, 1024) if on_gpu else (1, 256)))
    model = GPT2LMHeadModel(GPT2Config(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, use_cache=False))
    peer = copy.deepcopy(model).to(device).train()
    adamw = torch.optim.AdamW(peer.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
    history, position = [], [0]
    folder = Path(tempfile.mkdtemp())

    trainer = (
        Trainer().set_model(model).set_trainsplit(data).set_optimizer(AdamW(learning_rate=1e-4)).set_device(str(device))
    )
    trainer.set_precision(precision).set_clip(clip).set_output(folder / "run").set_saver(DefaultSaver().build())
    trainer.set_compile(False).set_bars(False, False, False, False)
    rounds = [0]

    def ours():
        rounds[0] += 1
        trainer.set_steps(rounds[0] * STEPS)
        if not trainer.trained:
            trainer.prepare()
            trainer.trained, trainer.saver = True, None  # the checkpoint is timed apart
        trainer.loop()

    def bare():
        for _ in range(STEPS):
            batch = {name: tensor.to(device) for name, tensor in data.batch(position[0]).items()}
            position[0] += 1
            with autocast:
                loss = peer(**batch).loss
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(peer.parameters(), clip)
            adamw.step()
            adamw.zero_grad(set_to_none=True)  # here, so that neither holds memory while the other runs
            history.append(loss.detach())
        if on_gpu:
            torch.cuda.synchronize()

    found = pairs(ours, bare, rounds=9 if precision == "bf16" else 5)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), peer.parameters())), "the weights differ"
    what = f"GPT-2 (124M) step, {precision}, {data.tokens[0].numel()} tokens{'' if clip is None else ', clipped'}"
    index = 1 if on_gpu else 0
    medians = summary([each[index] / STEPS for each in found], [each[index + 2] / STEPS for each in found])
    compares = (
        f"{'wall' if on_gpu else 'CPU'} per step under the Trainer, eager; peer: a bare loop"
        f"{'' if clip is not None else ' that looks at no gradient (ours looks whether it is finite)'}; "
        "weights equal to the bit afterwards; the goal is at most 2% more"
    )
    wall = summary([each[1] for each in found], [each[3] for each in found])[2]
    rows = [Row(what, *medians, "s", compares, 0.98 if clip is not None else None, {"wall_ratio": wall})]
    if precision == "fp32" and clip is not None:
        rows.append(saving(trainer, folder))
    shutil.rmtree(folder)
    return rows


def saving(trainer: Trainer, folder: Path) -> Row:
    """How much of a run is spent saving at the default interval, against plain `torch.save` of the same."""
    saver, seconds, peer = DefaultSaver().build(), [], []
    for i in range(4):
        trainer.step += 1
        started = time.perf_counter()
        saver.save(trainer, final=False)
        seconds.append(time.perf_counter() - started)
        started = time.perf_counter()
        torch.save({"model": trainer.models[0].state_dict(), **trainer.made.state(0)}, folder / f"{i % 2}.pt")
        peer.append(time.perf_counter() - started)
    interval = 60 * saver.minutes
    medians = summary([100 * each / interval for each in seconds], [100 * each / interval for each in peer])
    compares = (
        "wall spent saving GPT-2 and AdamW's state (1.5 GB), of a run with a checkpoint every "
        f"{saver.minutes:g} minutes, the default: hashed, synced to disk, atomic; peer: torch.save, which is none of "
        "that; the goal is at most 2%"
    )
    return Row("saving", *medians, "%", compares, None, {"seconds": seconds})


def run() -> list[Row]:
    """A row a precision."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = []
    for precision, clip in (("fp32", 1.0), ("bf16", 1.0), ("bf16", None)):
        rows += measured(precision, clip, device)
    return rows
