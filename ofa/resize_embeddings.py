"""Gives a model a new vocabulary: every matrix and bias that belongs to the old one is made anew by a plan."""

from __future__ import annotations

import inspect
from typing import Any

from ofa.factorisation import Factors, factorise
from ofa.plan import Plan
from semeqv.lazy import nn, no_grad, torch
from semeqv.runs.errors import UserError
from semeqv.text.models.embeddings import embedding_weights, head_of, is_tied


@no_grad
def move_positions(model: Any, padding: int | None) -> None:
    """Let a model that counts positions from its padding token's id on have the same ones behind another id.

    Row `padding + 1 + i` of the table of positions is that of the i-th token of a text. Models that count from 0 stay.

    Args:
        model: A `PreTrainedModel`, whose configuration names its new padding token. It is changed.
        padding: The id of the new padding token.

    Raises:
        UserError: When there is no such token, or the model counts from a fixed id.
    """
    embeddings: Any = getattr(model.base_model, "embeddings", None)
    table: Any = getattr(embeddings, "position_embeddings", None)
    old = getattr(embeddings, "padding_idx", None)
    if old is None or getattr(table, "padding_idx", None) != old or padding == old:
        return
    kind = type(model).__name__
    if padding is None:
        raise UserError(f"{kind} counts positions from its padding token on; the new tokenizer has none.")
    rows = padding + len(table.weight) - old
    model.config.max_position_embeddings = rows
    with torch.device("meta"):
        fresh = type(model)(model.config)
    if fresh.base_model.embeddings.padding_idx != padding:
        raise UserError(
            f"{kind} counts positions from token {old} on, whatever pads; take a tokenizer whose padding token has id "
            f"{old}, not {padding}."
        )
    moved = nn.Embedding(rows, table.embedding_dim, padding, dtype=table.weight.dtype)
    moved.weight.zero_()
    moved.weight[padding:] = table.weight[old:]
    embeddings.position_embeddings, embeddings.padding_idx = moved, padding
    embeddings.position_ids = torch.arange(rows).expand((1, -1))
    if getattr(embeddings, "token_type_ids", None) is not None:
        embeddings.token_type_ids = torch.zeros((1, rows), dtype=torch.long)


ROLES = ("bos_token_id", "eos_token_id", "pad_token_id", "cls_token_id", "sep_token_id", "mask_token_id")

# What else a configuration says by ids, which are other tokens in the new vocabulary.
OLD_IDS = (
    *("suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "force_words_ids", "sequence_bias"),
    *("forced_bos_token_id", "forced_eos_token_id", "decoder_start_token_id"),
)


@no_grad
def rewrite(
    model: Any, plan: Plan, tokenizer: Any, *, kept: int | None, factorised: bool, generator: torch.Generator
) -> tuple[Any, dict[str, float]]:
    """Give a model the vocabulary of a plan.

    Args:
        model: A `PreTrainedModel`, tied, untied, or without a head. It is changed.
        plan: Where the rows come from.
        tokenizer: Of the new vocabulary; the configuration is told its special tokens, and positions that are counted
            from the padding token on are moved with it.
        kept: Numbers of a coordinate; None for embeddings that are not factorised.
        factorised: Whether the model keeps coordinates and primitives apart; else they are multiplied.
        generator: Of the rows that are drawn.

    Returns:
        The model, and for each matrix by name (input, output) the share of it that the factors keep.

    Raises:
        UserError: When the model has no place for a new vocabulary.
    """
    from ofa.factorised import factorised_model  # which is made of modules

    reads, predicts = embedding_weights(model)
    tied, matrices = is_tied(model), {"input": reads.detach().clone()}
    if predicts is not None and not tied:
        matrices["output"] = predicts.detach().clone()
    shares = dict[str, float]()
    dense, factored = dict[str, torch.Tensor](), dict[str, Factors]()
    for name, matrix in matrices.items():
        if len(matrix) != len(reads):
            raise UserError(f"The two embeddings of {type(model).__name__} differ in rows; it cannot be extended.")
        if kept is None:
            dense[name] = plan.apply(matrix, generator, name)
            continue
        made = new_factors(matrix, plan, kept, generator, name)
        if name not in plan.primitives:
            shares[name] = made.kept_share
        if factorised:
            factored[name] = made
        else:
            dense[name] = made.dense()
    for names, bias in resized_biases(model, len(plan)).items():
        place_bias(model, names, plan.apply(bias, generator))
    tell_tokens(model, tokenizer)
    move_positions(model, tokenizer.pad_token_id)
    if factored:
        return factorised_model(model, factored["input"], factored.get("output")), shares
    for place, name in zip(embedding_weights(model), ("input", "output")):
        if place is not None and name in dense:
            place.copy_(dense[name])
    return model, shares


def new_factors(matrix: torch.Tensor, plan: Plan, kept: int, generator: torch.Generator, name: str) -> Factors:
    """Make the factors of a new embedding.

    Args:
        matrix: The old one, `(old rows, width)`.
        plan: Where the rows come from; with primitives of its own the old embedding is not factorised.
        kept: Numbers of a coordinate.
        generator: Of the rows that are drawn.
        name: Which matrix it is.

    Returns:
        New coordinates with the primitives of the plan, else with those of the old embedding, and what these keep of
        it.
    """
    coordinates = torch.zeros(len(matrix), kept)
    if name in plan.primitives:
        return Factors(plan.apply(coordinates, generator, name), plan.primitives[name], kept_share=0.0)
    used = torch.from_numpy(plan.used)
    factors = factorise(matrix[used].float(), kept)
    coordinates[used] = factors.coordinates
    return Factors(plan.apply(coordinates, generator, name), factors.primitives, factors.kept_share)


def resize(model: Any, rows: int) -> None:
    """Give the embeddings of a model, and the bias of its head, so many rows."""
    if "mean_resizing" not in inspect.signature(model.resize_token_embeddings).parameters:  # MobileBERT, for one
        raise UserError(f"{type(model).__name__} is resized in a way of its own; it cannot be given a new vocabulary.")
    model.resize_token_embeddings(rows, mean_resizing=False)
    reads, predicts = embedding_weights(model)
    if len(reads) != rows or (predicts is not None and len(predicts) != rows):
        raise UserError(f"{type(model).__name__} cannot be given {rows:,} tokens.")


def resized_biases(model: Any, rows: int) -> dict[tuple[str, ...], torch.Tensor]:
    """Resize a model, and find the biases that have a number for each token: that of the head, and what is resized.

    Args:
        model: A `PreTrainedModel`.
        rows: Of its new embedding.

    Returns:
        Copies of what they were, `(old rows,)`, by all the names that a bias has.

    Raises:
        UserError: When the model keeps something else for each token.
    """
    shapes, bias = {name: tensor.shape for name, tensor in tensors(model)}, getattr(head_of(model), "bias", None)
    vectors: dict[int, tuple[list[str], torch.Tensor]] = {}
    for name, tensor in tensors(model):
        if tensor.dim() == 1:
            vectors.setdefault(id(tensor), ([], tensor.detach().clone()))[0].append(name)
    by_token = {name for name, tensor in tensors(model) if tensor is bias}
    for pair in (model._tied_weights_keys or {}).items():  # of an untied model they are two
        by_token |= set(pair) & shapes.keys() if by_token.intersection(pair) else set()
    if rows == len(embedding_weights(model)[0]):
        resize(model, rows + 1)  # what has a number for each token shows itself by another shape
        by_token |= {name for name, tensor in tensors(model) if tensor.shape != shapes[name]}
    resize(model, rows)
    by_token |= {name for name, tensor in tensors(model) if tensor.shape != shapes[name]}
    matrices = {id(weight) for weight in embedding_weights(model)}
    for name, tensor in tensors(model):
        vector = tensor.dim() == 1 and isinstance(tensor, nn.Parameter)
        if name in by_token and id(tensor) not in matrices and not vector:
            raise UserError(
                f"{type(model).__name__} has numbers for each token in {name}, too; it cannot be given a new "
                "vocabulary."
            )
    return {tuple(names): values for names, values in vectors.values() if by_token.intersection(names)}


def tensors(model: Any) -> list[tuple[str, torch.Tensor]]:
    """Return the parameters and buffers of a model by name, tied ones by each of their names."""
    return [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]


def place_bias(model: Any, names: tuple[str, ...], values: torch.Tensor) -> None:
    """Put a bias into a model that has been resized, wherever it is."""
    new = nn.Parameter(values)
    for name in names:
        owner, _, last = name.rpartition(".")
        setattr(model.get_submodule(owner), last, new)


def tell_tokens(model: Any, tokenizer: Any) -> None:
    """Let the configurations of a model name the special tokens of its new vocabulary, and no others of the old one."""
    for config in (model.config, model.config.get_text_config(), getattr(model, "generation_config", None)):
        for role in ROLES:
            if config is not None and hasattr(config, role):
                setattr(config, role, getattr(tokenizer, role, None))
        for name in OLD_IDS:
            if getattr(config, name, None) is not None:
                setattr(config, name, None)
