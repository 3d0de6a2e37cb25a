"""Convert the checkpoints of others to a folder that `from_pretrained` opens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import click

from backpack.conversion.checkpoints import ForeignCheckpoint, read_checkpoint
from backpack.conversion.export import save
from backpack.conversion.layouts import CONTEXT, LAYOUTS, SENSES, TRUNK, layout_of
from semeqv.grammar.action import Spelled, Written, action
from semeqv.lazy import torch, transformers
from semeqv.runs.errors import UserError
from semeqv.runs.files import refuse_existing
from semeqv.tasks.inference import check_tokenizer
from semeqv.text.models.opening import has_tokenizer, open_tokenizer, ready
from semeqv.text.models.source import CONFIG

# Fields of a configuration that shapes do not determine, and a checkpoint may name.
TRUNK_FIELDS = (
    "n_head",
    "activation_function",
    "layer_norm_epsilon",
    "scale_attn_by_inverse_layer_idx",
    "bos_token_id",
    "eos_token_id",
    "resid_pdrop",
    "embd_pdrop",
    "attn_pdrop",
)
SENSE_FIELDS = ("sense_network", "sense_layout", "scale_contextualization", "sense_scale")
OPTIONS = {
    "activation_function": "--activation",
    "scale_attn_by_inverse_layer_idx": "--scale_attn_by_inverse_layer_idx",
}
MULTILINGUAL = {"sense_network": "multilingual", "sense_layout": "feature-major", "scale_contextualization": False}
ACTIVATIONS = {"gelu_fast": "gelu_new", "sqrelu": "relu2"}  # flash-attention's name, and that of the same function here
TRANSPOSED = r".*\.(attn\.c_attn|c_proj|c_fc)\.weight"  # matrices that lie (in, out) here


@dataclass(frozen=True)
class Converted(Written):
    """A folder that was written, and the model in it.

    Args:
        path: The folder.
        model: A `BackpackLMHeadModel`, or a `GPT2LMHeadModel`.
        tokenizer: Its tokenizer; None where there is none.
    """

    path: Path
    model: transformers.PreTrainedModel
    tokenizer: Any

    def show(self) -> None:
        """Print what was written."""
        count, config = sum(parameter.numel() for parameter in self.model.parameters()), self.model.config
        kind = f"{config.num_senses} senses" if config.model_type == "backpack" else "a GPT-2"
        click.echo(
            f"wrote {self.path}: {count / 1e6:.1f}M parameters, {kind}, {config.n_layer} layers, "
            f"{config.vocab_size} tokens{'' if self.tokenizer else ', no tokenizer'}"
        )


@action("backpack convert")
def convert(
    tokenizer: Any = None,
    *,
    source: Annotated[str | None, Spelled("from")] = None,
    output: Path,
    layout: Literal["published", "flash", "multilingual"] | None = None,
    allow_pickle: bool = False,
    heads: int | None = None,
    activation: str | None = None,
    scale_attn_by_inverse_layer_idx: bool | None = None,
    sense_scale: float | None = None,
) -> Converted:
    """Turn a Backpack or a GPT-2 that others trained into a folder that `--from` and `from_pretrained` open.

    Three layouts are known: `published`, that of stanfordnlp/backpack-gpt2; `flash`, the names of flash-attention's
    GPT, as in the `.ckpt` files of the paper's training; and `multilingual`, that of the French-English project, built
    like nanoGPT. Checkpoints without a sense network, such as the controls of both projects and nanoGPT's own, become
    an ordinary GPT-2. Prefixes of torch.compile, DistributedDataParallel and Lightning are left off. Every tensor must
    have its place, and every place its tensor. The tokenizer of the sentence, else the one beside the weights, is saved
    with the model.

    Args:
        tokenizer: The tokenizer to save; the one beside the weights, if there is one, if None.
        source: The checkpoint: a file, or a folder with one file of weights.
        output: The folder to write; it must not exist, or be empty.
        layout: How the checkpoint is laid out; recognised by the names of its tensors if left out.
        allow_pickle: Open a pickle, such as `.ckpt`, `.pt` or `.bin`: by torch's restricted unpickler, which runs no
            code. Objects of other classes, such as the options of omegaconf, become plain data.
        heads: Attention heads of the trunk; those that the checkpoint names (`model_args`, `hyper_parameters`,
            `config.json`) if left out. Shapes do not determine them.
        activation: Nonlinearity; that which the checkpoint names if left out. A checkpoint that names none is taken to
            have gelu_new, and a line names what was taken; newer versions of nanoGPT have gelu.
        scale_attn_by_inverse_layer_idx: Whether layer i divides its attention scores by i, too; as the checkpoint
            says if left out, else as in the paper's training, so not in the multilingual layout.
        sense_scale: What the sum over senses is multiplied by; 1 / senses for a Backpack of Levanter. As the
            checkpoint says if left out, else 1.

    Returns:
        The folder, and the model.
    """
    refuse_existing(output)
    checkpoint = read_checkpoint(source, allow_pickle)
    fields = {
        "n_head": heads,
        "activation_function": activation,
        "scale_attn_by_inverse_layer_idx": scale_attn_by_inverse_layer_idx,
        "sense_scale": sense_scale,
    }
    model, folder = assemble(checkpoint, fields, layout), checkpoint.path.parent
    if tokenizer is None and (folder / CONFIG).exists():
        tokenizer = open_tokenizer(folder) if has_tokenizer(folder) else None
    if tokenizer is not None:
        check_tokenizer(model, tokenizer)
    save(model, tokenizer, output)
    return Converted(output, model, tokenizer)


def assemble(
    checkpoint: ForeignCheckpoint, fields: Mapping[str, Any], layout: str | None = None
) -> transformers.PreTrainedModel:
    """Make a model with the weights of a checkpoint.

    Args:
        checkpoint: Its weights are used up.
        fields: Fields of `BackpackConfig` that the user names; None for those that are left out.
        layout: A key of `LAYOUTS`; recognised if None.

    Returns:
        The model, with weights in fp32: a `BackpackLMHeadModel`, or a `GPT2LMHeadModel` when there is no sense network.
        Fields that neither the checkpoint nor the user names are assumed, and named on stderr.

    Raises:
        UserError: When a tensor is missing, left over, or of a wrong shape, or the number of heads is not known.
    """
    from backpack.networks import BackpackLMHeadModel

    layout = layout or layout_of(checkpoint)
    arrange, usual = LAYOUTS[layout]
    weights = {name: tensor.float() for name, tensor in arrange(checkpoint).items()}
    if layout != "published":
        weights = {
            name: tensor.T.contiguous() if re.fullmatch(TRANSPOSED, name) else tensor
            for name, tensor in weights.items()
        }
    if checkpoint.weights:
        some, count = ", ".join(list(checkpoint.weights)[:3]), len(checkpoint.weights)
        raise UserError(f"{checkpoint.path}, read as {layout}, has {count} tensors with no place here: {some}, ...")
    senses = any(name.startswith((SENSES, CONTEXT)) for name in weights)
    known = known_fields(checkpoint, layout, senses) | {
        name: value for name, value in fields.items() if value is not None
    }
    if "n_head" not in known:
        raise UserError(f"{checkpoint.path} does not say how many heads its attention has; write --heads.")
    assumed = {name: value for name, value in usual.items() if name not in known}
    config = configuration(checkpoint, layout, assumed | known | sizes(weights, checkpoint), senses)
    blocks, less = checkpoint.facts.get("n_layer"), 1 if layout == "multilingual" and senses else 0
    if isinstance(blocks, int) and blocks - less != config.n_layer:
        raise UserError(
            f"{checkpoint.path} says n_layer {blocks}, but has {config.n_layer} blocks, not {blocks - less}."
        )
    model = BackpackLMHeadModel(config) if senses else transformers.GPT2LMHeadModel(config)
    if not senses:
        weights = {name.replace(TRUNK, "transformer."): tensor for name, tensor in weights.items()}
    fill(ready(model), weights, checkpoint)
    if assumed:
        what = ", ".join(f"{name} {value}" for name, value in assumed.items())
        options = " and ".join(OPTIONS[name] for name in assumed)
        click.echo(
            f"{checkpoint.path} does not say all of its model; taken: {what}. If it has others, write {options}.",
            err=True,
        )
    return model


def known_fields(checkpoint: ForeignCheckpoint, layout: str, senses: bool) -> dict[str, Any]:
    """Return the fields of a configuration that are certain, beside those that shapes determine.

    Args:
        checkpoint: The checkpoint.
        layout: A key of `LAYOUTS`.
        senses: Whether the model has a sense network.

    Returns:
        Fields of `BackpackConfig`, or of `GPT2Config` without a sense network. A configuration of transformers, which
        flash-attention uses too, leaves out what is as that library has it by default; nanoGPT's sizes do not include
        the nonlinearity, which the multilingual project never changed.
    """
    facts = checkpoint.facts
    names = TRUNK_FIELDS + (SENSE_FIELDS if senses else ())
    certain: dict[str, Any] = {}
    if layout == "multilingual":
        certain = {"scale_attn_by_inverse_layer_idx": False} | (MULTILINGUAL if senses else {})
        if senses or facts.get("model_name") in ("gpt2", "backpack-lm"):
            certain["activation_function"] = "gelu_new"
        if (dropout := facts.get("dropout")) is not None:
            certain |= dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), dropout)
    elif "n_embd" in facts:
        certain = {"activation_function": "gelu_new", "scale_attn_by_inverse_layer_idx": False}
    certain |= {name: facts[name] for name in names if facts.get(name) is not None}
    if certain.get("activation_function") in ACTIVATIONS:
        certain["activation_function"] = ACTIVATIONS[certain["activation_function"]]
    return certain


def configuration(
    checkpoint: ForeignCheckpoint, layout: str, fields: Mapping[str, Any], senses: bool
) -> transformers.GPT2Config:
    """Make the configuration with some fields.

    Args:
        checkpoint: Where they are from, for the message.
        layout: A key of `LAYOUTS`, for the message.
        fields: Those of `BackpackConfig`.
        senses: Whether the model has a sense network.

    Returns:
        A `BackpackConfig`, or a `GPT2Config` without a sense network; no token is special unless a field says so.

    Raises:
        UserError: When the fields do not go together.
    """
    from backpack.networks import BackpackConfig

    activation, heads, d = fields["activation_function"], fields["n_head"], fields["n_embd"]
    if activation not in transformers.activations.ACT2FN:
        raise UserError(f"{checkpoint.path}: the activation {activation!r} is unknown; write --activation.")
    if not isinstance(heads, int) or heads < 1 or d % heads:
        raise UserError(f"{checkpoint.path}: {heads} heads do not divide embeddings of {d}; write --heads.")
    special: dict[str, Any] = {"bos_token_id": None, "eos_token_id": None}
    kind = BackpackConfig if senses else transformers.GPT2Config
    allowed = {name: value for name, value in fields.items() if senses or name not in SENSE_FIELDS}
    try:
        return kind(**special | allowed)
    except ValueError as error:
        raise UserError(f"{checkpoint.path}, read as {layout}: {error}") from error


def sizes(weights: Mapping[str, torch.Tensor], checkpoint: ForeignCheckpoint) -> dict[str, Any]:
    """Return the sizes that shapes determine, and which sense network there is.

    Args:
        weights: Tensors by our names, as they lie here.
        checkpoint: Where they are from, for the message.

    Returns:
        Fields of `BackpackConfig`, or of `GPT2Config` without a sense network.

    Raises:
        UserError: When a tensor that determines a size is missing.
    """
    try:
        (vocabulary, d), positions = weights[TRUNK + "wte.weight"].shape, len(weights[TRUNK + "wpe.weight"])
        feedforward = weights[TRUNK + "h.0.mlp.c_fc.weight"].shape[1]
        head = weights.get("lm_head.weight")
        trunk = {
            "vocab_size": vocabulary,
            "n_embd": d,
            "n_positions": positions,
            "n_layer": 1 + max(int(name.split(".")[3]) for name in weights if name.startswith(TRUNK + "h.")),
            "n_inner": feedforward,
            "tie_word_embeddings": head is None or torch.equal(head, weights[TRUNK + "wte.weight"]),
        }
        if not any(name.startswith((SENSES, CONTEXT)) for name in weights):
            return trunk
        inner, features = weights[SENSES + "final_mlp.c_proj.weight"].shape
    except KeyError as error:
        raise UserError(f"{checkpoint.path} has nothing for {error.args[0]}.") from None
    return trunk | {
        "num_senses": features // d,
        "sense_intermediate_scale": inner // d if inner % d == 0 else inner / d,
        "contextualization_bias": CONTEXT + ".bias" in weights,
    }


def fill(
    model: transformers.PreTrainedModel, weights: Mapping[str, torch.Tensor], checkpoint: ForeignCheckpoint
) -> None:
    """Fill a model with weights; biases are 0 when a checkpoint has none at all.

    Args:
        model: Of the right sizes.
        weights: Tensors by the names of the model.
        checkpoint: Where they are from, for the message.

    Raises:
        UserError: When a tensor is missing, or has a wrong shape.
    """
    state = model.state_dict()
    head, tied = "lm_head.weight", model.config.tie_word_embeddings
    biased = any(name.endswith(".bias") for name in weights)
    for name, tensor in state.items():
        if name not in weights and name.endswith(".bias") and not biased:
            tensor.zero_()
        elif name not in weights and not (name == head and tied):
            raise UserError(f"{checkpoint.path} has nothing for {name}.")
        elif name in weights and weights[name].shape != tensor.shape:
            raise UserError(
                f"{checkpoint.path}: {name} should be {tuple(tensor.shape)} and is {tuple(weights[name].shape)}."
            )
    if strange := sorted(weights.keys() - state.keys()):
        raise UserError(f"{checkpoint.path} has {strange[0]}, which a model of these sizes has not.")
    model.load_state_dict(dict(weights), strict=False)
