"""Makes a model of ours from the weights of others."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from backpack.conversion.layouts import CONTEXT, LAYOUTS, SENSES, TRUNK, layout_of
from backpack.conversion.reading import Checkpoint
from backpack.networks import BackpackConfig, BackpackLMHeadModel
from semeqv.engine.errors import UserError
from semeqv.text.models.opening import ready

# What a checkpoint may say of a model that shapes do not tell.
TOLD = (
    "n_head",
    "activation_function",
    "layer_norm_epsilon",
    "scale_attn_by_inverse_layer_idx",
    "bos_token_id",
    "eos_token_id",
)
TRANSPOSED = r".*\.(attn\.c_attn|c_proj|c_fc)\.weight"  # matrices that lie (in, out) here


def assembled(checkpoint: Checkpoint, said: Mapping[str, Any], layout: str | None = None) -> BackpackLMHeadModel:
    """A model of ours with the weights of a checkpoint.

    Args:
        checkpoint: Its weights are used up.
        said: Fields of `BackpackConfig` that the user says; None for those that are not said.
        layout: A key of `LAYOUTS`; found out if None.

    Returns:
        The model, with weights in fp32.

    Raises:
        UserError: When a tensor is missing, left over, or of a wrong shape, or the number of heads is not known.
    """
    layout = layout or layout_of(checkpoint)
    arrange, usual = LAYOUTS[layout]
    found = {name: tensor.float() for name, tensor in arrange(checkpoint).items()}
    if layout != "published":
        found = {
            name: tensor.T.contiguous() if re.fullmatch(TRANSPOSED, name) else tensor for name, tensor in found.items()
        }
    if checkpoint.weights:
        some, count = ", ".join(list(checkpoint.weights)[:3]), len(checkpoint.weights)
        raise UserError(f"{checkpoint.path}, read as {layout}, has {count} tensors with no place here: {some}, ...")
    facts = {name: checkpoint.facts[name] for name in TOLD if checkpoint.facts.get(name) is not None}
    options = {name: value for name, value in said.items() if value is not None}
    fields = {"bos_token_id": None, "eos_token_id": None} | usual | facts | sizes(found, checkpoint) | options
    if "n_head" not in fields:
        raise UserError(f"{checkpoint.path} does not say how many heads its attention has; write --heads.")
    try:
        config = BackpackConfig(**fields)
    except ValueError as error:
        raise UserError(f"{checkpoint.path}, read as {layout}: {error}") from error
    return filled(ready(BackpackLMHeadModel(config)), found, checkpoint)


def sizes(found: Mapping[str, Tensor], checkpoint: Checkpoint) -> dict[str, Any]:
    """The sizes that shapes tell.

    Args:
        found: Tensors by our names, as they lie here.
        checkpoint: Where they are from, for the message.

    Returns:
        Fields of `BackpackConfig`.

    Raises:
        UserError: When a tensor that tells is missing.
    """
    try:
        (vocabulary, d), positions = found[TRUNK + "wte.weight"].shape, len(found[TRUNK + "wpe.weight"])
        inner, features = found[SENSES + "final_mlp.c_proj.weight"].shape
        feedforward = found[TRUNK + "h.0.mlp.c_fc.weight"].shape[1]
    except KeyError as error:
        raise UserError(f"{checkpoint.path} has nothing for {error.args[0]}.") from None
    head = found.get("lm_head.weight")
    return {
        "vocab_size": vocabulary,
        "n_embd": d,
        "n_positions": positions,
        "n_layer": 1 + max(int(name.split(".")[3]) for name in found if name.startswith(TRUNK + "h.")),
        "n_inner": feedforward,
        "num_senses": features // d,
        "sense_intermediate_scale": inner // d,
        "contextualization_bias": CONTEXT + ".bias" in found,
        "tie_word_embeddings": head is None or torch.equal(head, found[TRUNK + "wte.weight"]),
    }


def filled(model: BackpackLMHeadModel, found: Mapping[str, Tensor], checkpoint: Checkpoint) -> BackpackLMHeadModel:
    """Give a model its weights; biases that a checkpoint has none of are 0.

    Args:
        model: Of the right sizes.
        found: Tensors by our names.
        checkpoint: Where they are from, for the message.

    Returns:
        The model.

    Raises:
        UserError: When a tensor is missing, or has a wrong shape.
    """
    state = model.state_dict()
    head, tied = "lm_head.weight", model.config.tie_word_embeddings
    for name, tensor in state.items():
        if name not in found and name.endswith(".bias"):
            tensor.zero_()
        elif name not in found and not (name == head and tied):
            raise UserError(f"{checkpoint.path} has nothing for {name}.")
        elif name in found and found[name].shape != tensor.shape:
            raise UserError(
                f"{checkpoint.path}: {name} should be {tuple(tensor.shape)} and is {tuple(found[name].shape)}."
            )
    if strange := sorted(found.keys() - state.keys()):
        raise UserError(f"{checkpoint.path} has {strange[0]}, which a model of these sizes has not.")
    model.load_state_dict(dict(found), strict=False)
    return model
