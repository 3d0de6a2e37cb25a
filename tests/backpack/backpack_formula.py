"""A Backpack written down once more: plain functions of tensors, one position after the other, fp64.

Matrices are `(out, in)`; an `nn.Linear`'s. A layer is (weight, bias), the bias None where there is none.
"""

import math

import torch
from torch.nn import functional


def linear(x, layer):
    weight, bias = layer
    return x @ weight.T + (0 if bias is None else bias)


def norm(x, layer):
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * layer[0] + (0 if layer[1] is None else layer[1])


def gelu_new(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu(x):
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def mlp(x, first, second, act):
    return linear(act(linear(x, first)), second)


def trunk(x, blocks, last, heads, act, *, by_layer):
    """GPT-2: `x` is `(time, d)`; every block is a dictionary of layers."""
    time, d = x.shape
    for number, block in enumerate(blocks, start=1):
        query, key, value = linear(norm(x, block["ln_1"]), block["c_attn"]).split(d, -1)
        mixed = torch.zeros_like(x)
        width = d // heads
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            for i in range(time):
                scores = key[: i + 1, part] @ query[i, part] / math.sqrt(width) / (number if by_layer else 1)
                mixed[i, part] = scores.softmax(0) @ value[: i + 1, part]
        x = x + linear(mixed, block["c_proj"])
        x = x + mlp(norm(x, block["ln_2"]), block["c_fc"], block["mlp_proj"], act)
    return norm(x, last)


def logits(embeddings, hidden, senses, context, scale=True):
    """From embeddings `(vocabulary, d)`, the trunk's `(time, d)` and senses `(time, k, d)`."""
    time, k, d = senses.shape
    query, key = linear(hidden, context).split(d, -1)
    width, out = d // k, torch.zeros(time, d, dtype=senses.dtype)
    for i in range(time):
        for sense in range(k):
            part = slice(sense * width, (sense + 1) * width)
            scores = key[: i + 1, part] @ query[i, part] / (math.sqrt(width) if scale else 1)
            out[i] += scores.softmax(0) @ senses[: i + 1, sense]
    return out @ embeddings.T


def paper_senses(e, layers, k, act):
    """`layers`: ln, ln_1, ln_2, c_fc, c_proj, final_fc, final_proj."""
    r = e + norm(e, layers["ln"])
    r = r + mlp(norm(r, layers["ln_1"]), layers["c_fc"], layers["c_proj"], act)
    return mlp(norm(r, layers["ln_2"]), layers["final_fc"], layers["final_proj"], act).view(len(e), k, -1)


def multilingual_senses(e, layers, k, act):
    """`layers`: c_fc, c_proj, ln, final_fc, final_proj, final_ln; features lie (d, k)."""
    x = norm(e + mlp(e, layers["c_fc"], layers["c_proj"], act), layers["ln"])
    features = mlp(x, layers["final_fc"], layers["final_proj"], act).view(*e.shape, k) + x[:, :, None]
    return norm(features.flatten(1), layers["final_ln"]).view(*e.shape, k).transpose(1, 2)


def next_token_loss(found, ids):
    return functional.cross_entropy(found[:-1], ids[1:])
