"""A Backpack beside the formula as it stands, and beside GPT-2 with the same trunk.

The formula as it stands computes senses for every position, has them all in one tensor `(batch, senses, time, d)`,
beside weights `(batch, senses, time, time)`, and one cross-entropy of all logits; to generate, it computes all of that
again for each token. It has the weights of ours, and the loss, its gradients and the greedy tokens are compared before
anything is timed. Tokens are drawn so that as many of a batch differ as in text (40% of 2,048, 18% of 16,384; Europarl
in a vocabulary of 10,001 has 42% and 18%): ours computes the senses of each different token once.

Steps are those of a bare loop: forward under autocast, backward, clipping, fused AdamW.
"""

import copy
import gc
import multiprocessing
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from backpack.model import Backpack
from benchmarks.paired import Row, pairs, summary
from semeqv.text.models.architectures import GPT2


@dataclass(frozen=True)
class Size:
    """What is measured: a preset, its vocabulary, and the tokens of a batch; a smaller trunk, to try what is here."""

    preset: str
    vocabulary: int
    rows: int
    time: int
    smaller: tuple[tuple[str, int], ...] = ()

    def options(self, kind, **given):
        trunk = {"scale_attn_by_inverse_layer_idx": False, "dropout": 0.0, "block_size": self.time, "loss_chunk": 512}
        return kind(preset=self.preset, vocab_size=self.vocabulary, **trunk, **dict(self.smaller), **given)

    def tokens(self, device):
        generator = torch.Generator().manual_seed(0)
        share = (torch.arange(self.vocabulary) + 30.0) ** -1.4
        ids = torch.multinomial(share, self.rows * self.time, replacement=True, generator=generator)
        return ids.view(self.rows, self.time).to(device)

    def __str__(self):
        return f"{self.preset}, {self.rows} x {self.time} tokens"


class Plain(nn.Module):
    """The peer: the formula as it stands, with the weights of a Backpack."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def logits(self, ids):
        network, time = self.model.backpack, ids.shape[1]
        hidden = network.gpt2_model(ids, use_cache=False).last_hidden_state
        query, key = network.sense_weight_net(hidden)
        senses = network.senses(ids.flatten()).unflatten(0, ids.shape).transpose(1, 2)  # (batch, senses, time, d)
        earlier = torch.ones(time, time, dtype=torch.bool, device=ids.device).tril()
        weights = (query @ key.transpose(-1, -2)).masked_fill(~earlier, -torch.inf).softmax(-1)
        return self.model.lm_head((weights.to(senses.dtype) @ senses).sum(1))

    def forward(self, ids):
        return functional.cross_entropy(self.logits(ids)[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten())

    @torch.no_grad()
    def generate(self, ids, new):
        for _ in range(new):
            ids = torch.cat([ids, self.logits(ids)[:, -1].argmax(-1, keepdim=True)], 1)
        return ids


class Own(nn.Module):
    """A model that computes its own loss."""

    def __init__(self, model):
        super().__init__()
        model.config.use_cache = False
        self.model = model

    def forward(self, ids):
        return self.model(input_ids=ids, labels=ids).loss


def stepping(module, ids, precision):
    """A function that takes a training step."""
    adamw = torch.optim.AdamW(module.parameters(), lr=1e-4, fused=True)
    autocast = torch.autocast(ids.device.type, torch.bfloat16, enabled=precision == "bf16")

    def step():
        with autocast:
            loss = module(ids)
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        adamw.step()
        adamw.zero_grad(set_to_none=True)
        if ids.is_cuda:
            torch.cuda.synchronize()

    return step


def check(own, plain, ids):
    """Refuse to time what differs."""
    losses = own(ids), plain(ids)
    torch.testing.assert_close(*losses, rtol=1e-5, atol=0)
    gradients = (torch.autograd.grad(loss, list(module.parameters())) for loss, module in zip(losses, (own, plain)))
    for a, b in zip(*gradients):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)


def compared(size, precisions, device, goal):
    """A row of a training step beside the formula, in these precisions of ours and of the peer."""
    torch.manual_seed(0)
    own = Own(size.options(Backpack).build()).to(device)
    plain = Plain(copy.deepcopy(own.model)).to(device)
    ids = size.tokens(device)
    check(own, plain, ids[:1])
    steps = [stepping(module, ids, precision) for module, precision in zip((own, plain), precisions)]
    index = 1 if ids.is_cuda else 0
    found = pairs(*steps, rounds=5)
    compares = (
        f"{'wall' if ids.is_cuda else 'CPU, one thread,'} per step, {precisions[0]}; peer: the formula as it stands, "
        f"{precisions[1]}; loss and gradients agree in fp32"
    )
    medians = summary([each[index] for each in found], [each[index + 2] for each in found])
    name = f"Backpack step, {precisions[0]} against {precisions[1]} ({size})"
    return Row(name, *medians, "s", compares, goal, {"different": share(ids)})


def controlled(size, precision, device):
    """A row of a training step beside GPT-2 with the same trunk."""
    torch.manual_seed(0)
    ids = size.tokens(device)
    modules = [Own(size.options(kind).build()).to(device) for kind in (Backpack, GPT2)]
    trunk = [modules[0].model.backpack.gpt2_model, modules[1].model.transformer]
    assert [each.shape for each in trunk[0].parameters()] == [each.shape for each in trunk[1].parameters()]
    found = pairs(*(stepping(module, ids, precision) for module in modules), rounds=3)
    index = 1 if ids.is_cuda else 0
    medians = summary([each[index] for each in found], [each[index + 2] for each in found])
    compares = (
        f"{'wall' if ids.is_cuda else 'CPU, one thread,'} per step, {precision}; peer: GPT-2 with the same trunk, "
        f"{precision}, which has fewer parameters and computes less; the goal is at most 1.15 times its cost"
    )
    name = f"Backpack step against GPT-2, {precision} ({size})"
    return Row(name, *medians, "s", compares, 0.87, {"different": share(ids)})


def bounded(size, device):
    """A row of the trunk and its head in bf16 beside the formula in fp32: what is gained where senses cost nothing."""
    torch.manual_seed(0)
    ids = size.tokens(device)
    trunk, plain = Own(size.options(GPT2).build()).to(device), Plain(size.options(Backpack).build().to(device))
    found = pairs(stepping(trunk, ids, "bf16"), stepping(plain, ids, "fp32"), rounds=3)
    index = 1 if ids.is_cuda else 0
    medians = summary([each[index] for each in found], [each[index + 2] for each in found])
    compares = (
        f"{'wall' if ids.is_cuda else 'CPU, one thread,'} per step: GPT-2 with the trunk of the Backpack, bf16; peer: "
        "the formula as it stands, fp32; no Backpack on this machine can gain more, however it computes its senses"
    )
    return Row(f"Trunk and head alone, bf16 against fp32 ({size})", *medians, "s", compares, None, {})


def share(ids):
    """How many of the tokens differ."""
    return len(ids.unique()) / ids.numel()


def resident(name):
    """A line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(name)))


class Trunk(nn.Module):
    """The trunk of a Backpack alone."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids):
        return self.model.backpack.gpt2_model(ids, use_cache=False).last_hidden_state.sum()


def extra_memory(size, kind, queue):
    """Bytes that forward and backward need beyond weights and gradients, in a process of its own."""
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    module = kind(size.options(Backpack).build()).to(device)
    ids = size.tokens(device)
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    module(ids[:1, :64]).backward()
    gc.collect()
    if ids.is_cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    else:
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak
        before = resident("VmRSS")
    module(ids).backward()
    queue.put((torch.cuda.max_memory_allocated() if ids.is_cuda else resident("VmHWM")) - before)


def memory(size):
    """The row of the memory of a step."""
    spawn, found = multiprocessing.get_context("spawn"), {}
    for kind in (Own, Plain, Trunk):
        queue = spawn.Queue()
        process = spawn.Process(target=extra_memory, args=(size, kind, queue))
        process.start()
        found[kind.__name__] = queue.get() / 2**20
        process.join()
    own, plain = found["Own"] - found["Trunk"], found["Plain"] - found["Trunk"]
    ratio = plain / own
    compares = (
        "memory of forward and backward beyond weights, gradients and what the trunk needs, fp32; peer: the formula as "
        f"it stands; the goal is at most 0.4 times its memory (with the trunk's: {found['Own']:.0f} against "
        f"{found['Plain']:.0f} MiB)"
    )
    return Row(f"Backpack step, memory ({size})", own, plain, ratio, (ratio, ratio), "MiB", compares, 2.5)


def generated(size, rows, time, device):
    """A row of greedy generation."""
    torch.manual_seed(0)
    size = replace(size, rows=rows, time=time)
    model = size.options(Backpack, initializer_range=0.05).build().to(device).eval()
    peer = Plain(model)
    prompt, new = size.tokens(device)[:, :32], time - 32

    def ours():
        found.append(model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=new, do_sample=False,
                                    pad_token_id=0))  # fmt: skip

    def theirs():
        found.append(peer.generate(prompt, new))

    found: list = []
    times = pairs(ours, theirs, rounds=2)
    assert all(torch.equal(found[0], each) for each in found), "the tokens differ"
    index = 1 if prompt.is_cuda else 0
    medians = summary([each[index] / new for each in times], [each[index + 2] / new for each in times])
    compares = (
        f"{'wall' if prompt.is_cuda else 'CPU, one thread,'} per position, fp32, from {rows} x 32 to {rows} x {time} "
        "tokens; peer: the formula as it stands, without a cache; greedy tokens are identical"
    )
    return Row(f"Backpack generation ({size.preset}, {rows} x {new} tokens)", *medians, "s", compares, 20)


def rows_of(small, control, device):
    """Steps beside the formula, at half the length and at the whole, and beside GPT-2; memory; generation."""
    rows = []
    for size in (replace(small, time=small.time // 2), small):
        rows += [
            compared(size, ("fp32", "fp32"), device, 1.5),
            compared(size, ("bf16", "bf16"), device, None),
            compared(size, ("bf16", "fp32"), device, 4.0),
            bounded(size, device),
            memory(size),
        ]
    rows += [controlled(control, precision, device) for precision in ("fp32", "bf16")]
    shapes = ((1, small.time // 2), (1, small.time), (4, small.time // 2))
    return rows + [generated(small, few, time, device) for few, time in shapes]


def run() -> list[Row]:
    """Small models on a CPU, those of the paper on a GPU."""
    torch.set_num_threads(1)
    if torch.cuda.is_available():
        sizes = Size("paper-small", 50_264, 16, 512), Size("paper-small", 50_264, 32, 512)
        return rows_of(*sizes, torch.device("cuda"))
    return rows_of(Size("paper-micro", 10_001, 8, 512), Size("paper-micro", 50_264, 16, 512), torch.device("cpu"))
