"""Positions that are counted from behind the padding token, as in RoBERTa and its kin."""

from typing import Any

import torch
from torch import nn

from semeqv.runs.errors import UserError


@torch.no_grad()
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
