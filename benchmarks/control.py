"""A GPT-2 training step, data included, beside the recipe of nanoGPT (Karpathy, 2022).

Ours is `cli model gpt2` under the Trainer, on batches of a token file. The peer is written here after the published
recipe: a Transformer with one matrix for queries, keys and values, fused attention, GELU, tied embeddings, logits of
all positions in one cross-entropy; `get_batch` stacks random slices of a mapped file; weights decay in matrices only;
gradients are clipped; AdamW is torch's own choice, which is fused only on a GPU, as there. Both start from the same
weights, and the losses and gradients of one batch are compared before anything is timed.
"""

import shutil
import tempfile
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

from benchmarks.paired import Row, pairs, summary
from semeqv.text.models.architectures import GPT2
from semeqv.text.objectives import Causal
from semeqv.text.tokens.batches import Layout, TokenBatches
from semeqv.text.tokens.files import TokenFile
from semeqv.train.optimizers import AdamW
from semeqv.train.trainer import Trainer

LAYERS, HEADS, WIDTH, VOCABULARY = 6, 6, 384, 10_000
STEPS = 4  # in a round


class Block(nn.Module):
    """Attention and a feed-forward network, normed before each."""

    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.c_attn, self.c_proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.c_fc, self.mlp_proj = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        rows, time, _ = x.shape
        q, k, v = (
            each.view(rows, time, HEADS, WIDTH // HEADS).transpose(1, 2)
            for each in self.c_attn(self.ln_1(x)).split(WIDTH, 2)
        )
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(y.transpose(1, 2).contiguous().view(rows, time, WIDTH))
        return x + self.mlp_proj(functional.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class NanoGPT(nn.Module):
    """The peer's model."""

    def __init__(self, time: int):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(time, WIDTH)
        self.h, self.ln_f = nn.ModuleList(Block() for _ in range(LAYERS)), nn.LayerNorm(WIDTH)
        self.lm_head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.wte.weight = self.lm_head.weight

    def forward(self, ids, targets):
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1], device=ids.device))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return functional.cross_entropy(logits.view(-1, VOCABULARY), targets.view(-1), ignore_index=-1)

    def take_over(self, model) -> None:
        """Take the weights of a `GPT2LMHeadModel`, which keeps its matrices transposed."""
        theirs = model.transformer
        pairs = [(self.wte, theirs.wte), (self.wpe, theirs.wpe), (self.ln_f, theirs.ln_f)]
        for own, other in zip(self.h, theirs.h):
            pairs += [(own.ln_1, other.ln_1), (own.ln_2, other.ln_2)]
            pairs += [(own.c_attn, other.attn.c_attn), (own.c_proj, other.attn.c_proj)]
            pairs += [(own.c_fc, other.mlp.c_fc), (own.mlp_proj, other.mlp.c_proj)]
        with torch.no_grad():
            for own, other in pairs:
                turned = isinstance(own, nn.Linear)
                own.weight.copy_(other.weight.T if turned else other.weight)
                if getattr(own, "bias", None) is not None:
                    own.bias.copy_(other.bias)


def check(model, peer, ids) -> None:
    """Refuse to time models that differ."""
    first = model(input_ids=ids, labels=ids).loss
    second = peer(ids[:, :-1].contiguous(), ids[:, 1:].contiguous())
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)
    gradients = torch.autograd.grad(first, model.transformer.wte.weight), torch.autograd.grad(second, peer.wte.weight)
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-5)


def recipe_of(peer, file: Path, rows: int, device: torch.device, precision: str):
    """The peer's loop: a function that takes a few steps."""
    on_gpu = device.type == "cuda"
    time = peer.wpe.num_embeddings
    matrices = [each for each in peer.parameters() if each.dim() >= 2]
    others = [each for each in peer.parameters() if each.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95), **({"fused": True} if on_gpu else {}))
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")

    def get_batch():
        data = numpy.memmap(file, dtype=numpy.uint16, mode="r")
        starts = torch.randint(len(data) - time, (rows,))
        x, y = (
            torch.stack([torch.from_numpy(data[i + late : i + late + time].astype(numpy.int64)) for i in starts])
            for late in (0, 1)
        )
        return x.to(device), y.to(device)

    def recipe():
        for _ in range(STEPS):
            x, y = get_batch()
            with autocast:
                loss = peer(x, y)
            loss.backward()
            nn.utils.clip_grad_norm_(peer.parameters(), 1.0)
            adamw.step()
            adamw.zero_grad(set_to_none=True)
        if on_gpu:
            torch.cuda.synchronize()

    return recipe


def measured(precision: str, peer_precision: str, device: torch.device, goal: float) -> Row:
    """The row of a precision of ours against one of the peer's."""
    on_gpu = device.type == "cuda"
    rows, time = (32, 1024) if on_gpu else (4, 256)
    folder = Path(tempfile.mkdtemp())
    tokens = numpy.random.default_rng(0).integers(0, VOCABULARY, 1_000_000).astype(numpy.uint16)
    tokens.tofile(folder / "en.bin")
    torch.manual_seed(0)
    options = GPT2(
        layers=LAYERS, heads=HEADS, embedding_size=WIDTH, block_size=time, vocab_size=VOCABULARY, dropout=0.0
    )
    model = options.build()
    peer = NanoGPT(time)
    peer.take_over(model)
    check(model, peer, torch.randint(VOCABULARY, (2, 64)))
    peer.to(device)
    recipe = recipe_of(peer, folder / "en.bin", rows, device, peer_precision)
    file = TokenFile("en", numpy.memmap(folder / "en.bin", numpy.uint16, "r"), numpy.array([len(tokens)]))
    data = TokenBatches([file], Causal(), Layout(rows=rows, time=time, packing=True, first=None, last=0, pad=0))
    trainer = Trainer().set_model(model).set_trainsplit(data).set_optimizer(AdamW(learning_rate=1e-4))
    trainer.set_precision(precision).set_clip(1.0).set_device(str(device)).set_compile(False)
    trainer.set_bars(False, False, False, False)
    rounds = [0]

    def ours():
        rounds[0] += 1
        trainer.set_steps(rounds[0] * STEPS)
        if not trainer.trained:
            trainer.prepare()
            trainer.trained = True
        trainer.loop()

    found = pairs(ours, recipe, 7)
    shutil.rmtree(folder)
    index = 1 if on_gpu else 0
    medians = summary([each[index] / STEPS for each in found], [each[index + 2] / STEPS for each in found])
    parameters = sum(each.numel() for each in peer.parameters()) / 1e6
    what = f"GPT-2 ({parameters:.0f}M) training, {precision} against {peer_precision}, {rows} x {time} tokens"
    compares = (
        f"{'wall' if on_gpu else 'CPU, one thread,'} per step, data included: the Trainer with `cli model gpt2`, "
        f"{precision}; peer: nanoGPT's recipe, {peer_precision}, uncompiled; loss and gradient agree"
    )
    return Row(what, *medians, "s", compares, goal, {})


def run() -> list[Row]:
    """Equal precision, and bf16 against the recipe in fp32."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(1)  # threads that wait for each other burn time that belongs to neither side
    wanted = (("fp32", "fp32", 1.0), ("bf16", "bf16", 1.0), ("bf16", "fp32", 2.5))
    return [measured(precision, peer, device, goal) for precision, peer, goal in wanted]
