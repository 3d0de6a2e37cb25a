"""Layouts that others give to the weights of a Backpack or of its control, and where each tensor goes here.

A layout is a function that takes the tensors that it knows out of a checkpoint and gives them the names that they have
here; what stays behind has no place. The names are rules, not quotations: they allow for prefixes and for the spellings
of several versions, and shapes and completeness are checked afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from backpack.conversion.checkpoints import ForeignCheckpoint
from semeqv.lazy import torch
from semeqv.runs.errors import UserError

Weights: TypeAlias = "dict[str, torch.Tensor]"
Rules = list[tuple[str, str]]

TRUNK = "backpack.gpt2_model."
SENSES = "backpack.sense_network."
CONTEXT = "backpack.sense_weight_net.c_attn"
HEAD = r"(?:.*\.)?lm_head\.weight"
MASK = r"(?:.*\.)?(?:masked_)?bias"  # causal masks are called like biases, but are (1, 1, time, time) or a number

# flash-attention's GPT names (Dao et al.), matrices (out, in).
FLASH: Rules = [
    (r"(?:.*\.)?content_model\.ln_0\.(weight|bias)", SENSES + r"ln.\1"),
    (r"(?:.*\.)?content_model\.layers\.0\.norm([12])\.(weight|bias)", SENSES + r"block.ln_\1.\2"),
    (r"(?:.*\.)?content_model\.layers\.0\.mlp\.fc1\.(weight|bias)", SENSES + r"block.mlp.c_fc.\1"),
    (r"(?:.*\.)?content_model\.layers\.0\.mlp\.fc2\.(weight|bias)", SENSES + r"block.mlp.c_proj.\1"),
    (r"(?:.*\.)?embeddings\.word_embeddings\.weight", TRUNK + "wte.weight"),
    (r"(?:.*\.)?embeddings\.position_embeddings\.weight", TRUNK + "wpe.weight"),
    (r"(?!.*content_model)(?:.*\.)?layers\.(\d+)\.mixer\.Wqkv\.(weight|bias)", TRUNK + r"h.\1.attn.c_attn.\2"),
    (r"(?!.*content_model)(?:.*\.)?layers\.(\d+)\.mixer\.out_proj\.(weight|bias)", TRUNK + r"h.\1.attn.c_proj.\2"),
    (r"(?!.*content_model)(?:.*\.)?layers\.(\d+)\.mlp\.fc1\.(weight|bias)", TRUNK + r"h.\1.mlp.c_fc.\2"),
    (r"(?!.*content_model)(?:.*\.)?layers\.(\d+)\.mlp\.fc2\.(weight|bias)", TRUNK + r"h.\1.mlp.c_proj.\2"),
    (r"(?!.*content_model)(?:.*\.)?layers\.(\d+)\.norm([12])\.(weight|bias)", TRUNK + r"h.\1.ln_\2.\3"),
    (r"(?!.*sense)(?:.*\.)?(ln_0|ln_f)\.(weight|bias)", TRUNK + r"\1.\2"),
    (r"(?:.*\.)?block\.(?:norm|ln_)([12])\.(weight|bias)", SENSES + r"block.ln_\1.\2"),
    (r"(?:.*\.)?block\.mlp\.(?:fc1|c_fc)\.(weight|bias)", SENSES + r"block.mlp.c_fc.\1"),
    (r"(?:.*\.)?block\.mlp\.(?:fc2|c_proj)\.(weight|bias)", SENSES + r"block.mlp.c_proj.\1"),
    (r"(?:.*\.)?final_mlp\.(?:fc1|c_fc)\.(weight|bias)", SENSES + r"final_mlp.c_fc.\1"),
    (r"(?:.*\.)?final_mlp\.(?:fc2|c_proj)\.(weight|bias)", SENSES + r"final_mlp.c_proj.\1"),
    (r".*sense[^.]*\.(?:ln_0|ln|norm)\.(weight|bias)", SENSES + r"ln.\1"),
    (r".*(?:Wqk|Wqkv|c_attn)\.(weight|bias)", CONTEXT + r".\1"),
]

# nanoGPT's names (Karpathy), matrices (out, in).
NANOGPT: Rules = [
    (r"(?:.*\.)?(wte|wpe|ln_f)\.(weight|bias)", TRUNK + r"\1.\2"),
    (
        r"(?:.*\.)?h\.(\d+)\.(ln_[12]|attn\.c_attn|attn\.c_proj|mlp\.c_fc|mlp\.c_proj)\.(weight|bias)",
        TRUNK + r"h.\1.\2.\3",
    ),
]


def published(checkpoint: ForeignCheckpoint) -> Weights:
    """Read the layout of stanfordnlp/backpack-gpt2, whose names are ours.

    Args:
        checkpoint: Its weights; those that are taken are removed.

    Returns:
        The same tensors, without causal masks and second names of the embeddings.
    """
    weights = checkpoint.weights
    ours: Weights = {}
    for name in list(weights):
        tensor = weights.pop(name)
        if not is_mask(name, tensor) and not name.endswith(("word_embeddings.weight", "position_embeddings.weight")):
            ours[name] = tensor
    return ours


def flash(checkpoint: ForeignCheckpoint) -> Weights:
    """Read the names of flash-attention's GPT.

    Older versions norm after a block what newer ones norm before it: their `ln_0` is the first norm of block 0, `norm1`
    of block i its second one, and `norm2` of block i the first one of block i + 1, or the last of all.

    Args:
        checkpoint: Its weights; those that are taken are removed.

    Returns:
        Tensors by our names.
    """
    ours = renamed(checkpoint, FLASH)
    if TRUNK + "ln_0.weight" in ours:
        last = max(int(name.split(".")[3]) for name in ours if name.startswith(TRUNK + "h."))
        moved = {}
        for name in [each for each in ours if re.search(r"gpt2_model\.(ln_0|h\.\d+\.ln_[12])\.", each)]:
            moved[postnormed(name, last)] = ours.pop(name)
        ours |= moved
    return ours


def postnormed(name: str, last: int) -> str:
    """Return the name here of a norm of older flash-attention; `last` is the number of the last block."""
    *_, place, kind = name.split(".")
    if place == "ln_0":
        return f"{TRUNK}h.0.ln_1.{kind}"
    block = int(name.removeprefix(TRUNK).split(".")[1])
    if place == "ln_1":
        return f"{TRUNK}h.{block}.ln_2.{kind}"
    return f"{TRUNK}ln_f.{kind}" if block == last else f"{TRUNK}h.{block + 1}.ln_1.{kind}"


def nanogpt(checkpoint: ForeignCheckpoint) -> Weights:
    """Read the multilingual project's layout: nanoGPT's names in the trunk or the whole model, the rest by shapes.

    With embeddings of size d and k senses, queries and keys of sense weights are one matrix (2d, d); an MLP whose
    second matrix is (d, 4d) feeds the first norm, (d); one whose second matrix is (k * d, 4d) the other one, (k * d).

    Args:
        checkpoint: Its weights; those that are taken are removed.

    Returns:
        Tensors by our names.

    Raises:
        UserError: When there is no embedding of tokens.
    """
    ours = renamed(checkpoint, NANOGPT)
    if TRUNK + "wte.weight" not in ours:
        raise UserError(f"{checkpoint.path} has no embedding of tokens called wte.weight.")
    d = ours[TRUNK + "wte.weight"].shape[1]
    mlps: dict[str, list[str]] = {}
    for name in [each for each in checkpoint.weights if each.endswith(".weight")]:
        module, shape = name.removesuffix(".weight"), checkpoint.weights[name].shape
        if tuple(shape) == (2 * d, d):
            take(checkpoint.weights, module, ours, CONTEXT)
        elif len(shape) == 1:
            inner = shape[0] == d and SENSES + "ln.weight" not in ours  # with one sense, both norms are (d)
            take(checkpoint.weights, module, ours, SENSES + ("ln" if inner else "final_ln"))
        else:
            mlps.setdefault(module.rpartition(".")[0], []).append(module)
    for modules in mlps.values():
        if len(modules) == 2:
            first, second = modules
            outputs = checkpoint.weights[second + ".weight"].shape[0]
            mlp = "mlp" if outputs == d and SENSES + "mlp.c_proj.weight" not in ours else "final_mlp"
            take(checkpoint.weights, first, ours, f"{SENSES}{mlp}.c_fc")
            take(checkpoint.weights, second, ours, f"{SENSES}{mlp}.c_proj")
    return ours


def renamed(checkpoint: ForeignCheckpoint, rules: Rules) -> Weights:
    """Take those tensors out of a checkpoint that a rule knows, under the names that it gives them.

    Args:
        checkpoint: Its weights; those that are taken are removed, and so are causal masks.
        rules: Patterns of names, and our names.

    Returns:
        Tensors by our names.

    Raises:
        UserError: When two tensors that should be one, such as copies of the embedding, differ.
    """
    weights = checkpoint.weights
    ours: Weights = {}
    for name in list(weights):
        if is_mask(name, weights[name]):
            del weights[name]
            continue
        for pattern, replacement in [(HEAD, "lm_head.weight"), *rules]:
            if match := re.fullmatch(pattern, name):
                name_here, tensor = match.expand(replacement), weights.pop(name)
                if not torch.equal(ours.setdefault(name_here, tensor), tensor):
                    raise UserError(
                        f"{checkpoint.path} has two tensors for {name_here}; {name} differs from the other one."
                    )
                break
    return ours


def is_mask(name: str, tensor: torch.Tensor) -> bool:
    """Return whether a tensor is a causal mask, which is stored beside the weights."""
    return re.fullmatch(MASK, name) is not None and tensor.ndim != 1


def take(weights: Weights, module: str, ours: Weights, name: str) -> None:
    """Take the weight and the bias, if any, of a module out of `weights`, by its name here."""
    for kind in ("weight", "bias"):
        if f"{module}.{kind}" in weights:
            ours[f"{name}.{kind}"] = weights.pop(f"{module}.{kind}")


# The function of a layout, and what is true of its models where neither a checkpoint nor the user says otherwise.
LAYOUTS: dict[str, tuple[Callable[[ForeignCheckpoint], Weights], dict[str, Any]]] = {
    "published": (published, {"activation_function": "gelu_new", "scale_attn_by_inverse_layer_idx": True}),
    "flash": (flash, {"activation_function": "gelu_new", "scale_attn_by_inverse_layer_idx": True}),
    "multilingual": (nanogpt, {"activation_function": "gelu_new", "scale_attn_by_inverse_layer_idx": False}),
}


def layout_of(checkpoint: ForeignCheckpoint) -> str:
    """Recognise the layout of a checkpoint; a GPT-2 has that of the Backpacks that it was trained beside.

    Args:
        checkpoint: Its names decide.

    Returns:
        A key of `LAYOUTS`.

    Raises:
        UserError: When it is none of them.
    """
    names = list(checkpoint.weights)
    if any(name.startswith(SENSES) for name in names) and TRUNK + "wte.weight" in names:
        return "published"
    if any(".mixer." in name for name in names):
        return "flash"
    if any(re.search(r"(^|\.)h\.0\.attn\.c_attn\.weight$", name) for name in names):
        return "multilingual"
    some = ", ".join(names[:3])
    raise UserError(
        f"{checkpoint.path} is not a Backpack of a known layout ({', '.join(LAYOUTS)}), nor a GPT-2 of nanoGPT or of "
        f"flash-attention: it has {some}, ..."
    )
