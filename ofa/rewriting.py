"""Gives a model a new vocabulary: every matrix and bias that belongs to the old one is made anew by a plan."""

from typing import Any

import torch
from torch import Tensor, nn

from ofa.factorisation import Factors, factorise
from ofa.factorised import factorised_model
from ofa.plan import Plan
from semeqv.engine.errors import UserError
from semeqv.text.models.tying import embedding_weights, is_tied

ROLES = ("bos_token_id", "eos_token_id", "pad_token_id", "cls_token_id", "sep_token_id", "mask_token_id")


@torch.no_grad()
def rewrite(
    model: Any, plan: Plan, tokenizer: Any, *, kept: int | None, factorised: bool, generator: torch.Generator
) -> tuple[Any, dict[str, float]]:
    """Give a model the vocabulary of a plan.

    Args:
        model: A `PreTrainedModel`, tied, untied, or without a head. It is changed.
        plan: Where the rows come from.
        tokenizer: Of the new vocabulary; the configuration is told its special tokens.
        kept: Numbers of a coordinate; None for embeddings that are not factorised.
        factorised: Whether the model keeps coordinates and primitives apart; else they are multiplied.
        generator: Of the rows that are drawn.

    Returns:
        The model, and for each matrix by name (input, output) the share of it that the factors keep.

    Raises:
        UserError: When the model has no place for a new vocabulary.
    """
    reads, predicts = embedding_weights(model)
    tied, matrices = is_tied(model), {"input": reads.detach().clone()}
    if predicts is not None and not tied:
        matrices["output"] = predicts.detach().clone()
    biases, shares = head_biases(model, len(reads)), dict[str, float]()
    dense, apart = dict[str, Tensor](), dict[str, Factors]()
    for name, matrix in matrices.items():
        if len(matrix) != len(reads):
            raise UserError(f"The two embeddings of {type(model).__name__} differ in rows; it cannot be extended.")
        if kept is None:
            dense[name] = plan.apply(matrix, generator, name)
            continue
        factors = factorise(matrix[torch.from_numpy(plan.used)].float(), kept)
        coordinates = torch.zeros(len(matrix), kept)
        coordinates[torch.from_numpy(plan.used)] = factors.coordinates
        shares[name] = factors.kept_share
        rows = plan.apply(coordinates, generator, name)
        made = Factors(rows, factors.primitives, factors.kept_share)
        if factorised:
            apart[name] = made
        else:
            dense[name] = made.dense()
    resize(model, len(plan))
    for name, bias in biases.items():
        place_bias(model, name, plan.apply(bias, generator))
    tell_tokens(model, tokenizer)
    if apart:
        return factorised_model(model, apart["input"], apart.get("output")), shares
    for place, name in zip(embedding_weights(model), ("input", "output")):
        if place is not None and name in dense:
            place.copy_(dense[name])
    return model, shares


def resize(model: Any, rows: int) -> None:
    """Give the embeddings of a model, and the bias of its head, so many rows."""
    model.resize_token_embeddings(rows, mean_resizing=False)
    reads, predicts = embedding_weights(model)
    if len(reads) != rows or (predicts is not None and len(predicts) != rows):
        raise UserError(f"{type(model).__name__} cannot be given {rows:,} tokens.")


def head_biases(model: Any, rows: int) -> dict[str, Tensor]:
    """The biases of the head that have a number for each token, `(rows,)`, by name; tied ones once.

    Args:
        model: A `PreTrainedModel`.
        rows: Of its old embedding.

    Returns:
        Copies.
    """
    body, found, seen = f"{model.base_model_prefix}.", dict[str, Tensor](), set[int]()
    for name, parameter in model.named_parameters():
        inside = name.startswith(body) or model.base_model is model
        if not inside and name.endswith("bias") and parameter.shape == (rows,) and id(parameter) not in seen:
            found[name] = parameter.detach().clone()
            seen.add(id(parameter))
    return found


def place_bias(model: Any, name: str, values: Tensor) -> None:
    """Put a bias into a model that has been resized, wherever it is tied to."""
    output = model.get_output_embeddings()
    owner, _, last = name.rpartition(".")
    new = nn.Parameter(values)
    if getattr(output, "bias", None) is not None:
        output.bias = new
    setattr(model.get_submodule(owner), last, new)


def tell_tokens(model: Any, tokenizer: Any) -> None:
    """Let the configurations of a model name the special tokens of its new vocabulary."""
    for config in (model.config, model.config.get_text_config(), getattr(model, "generation_config", None)):
        for role in ROLES:
            if config is not None and hasattr(config, role):
                setattr(config, role, getattr(tokenizer, role, None))
