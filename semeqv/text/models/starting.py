"""Starts a model from the input embeddings of another."""

from __future__ import annotations

from typing import Any

import click

from semeqv.lazy import torch
from semeqv.runs.errors import UserError
from semeqv.text.models.opening import open_model, open_tokenizer


def start_from(model: Any, source: str, tokenizer: Any, deviation: float) -> None:
    """Give tokens of a model the input embeddings that they have in another.

    Args:
        model: Its weights drawn anew; rows of tokens that the other lacks, or has zeros for, stay.
        source: The other one (see `model_folder`), which has a tokenizer.
        tokenizer: Of the model.
        deviation: What the rows taken over are scaled to: the root of their mean square.

    Raises:
        UserError: When there is no tokenizer, the widths differ, or no token is known to both.
    """
    if tokenizer is None:
        raise UserError(f"--embeddings {source}: a tokenizer tells which tokens are the same; add: cli tokenizer ...")
    rows = open_model(source).get_input_embeddings().weight.detach().float()
    own = model.get_input_embeddings().weight
    if rows.shape[1] != own.shape[1]:
        raise UserError(
            f"--embeddings {source} are {rows.shape[1]} numbers wide; say --embedding_size {rows.shape[1]}, not "
            f"{own.shape[1]}."
        )
    known, length = open_tokenizer(source).get_vocab(), rows.norm(dim=1)
    pairs = [(row, known[token]) for token, row in tokenizer.get_vocab().items() if token in known]
    pairs = [(row, other) for row, other in pairs if row < len(own) and other < len(rows) and length[other] > 0]
    if not pairs:
        raise UserError(f"--embeddings {source} are of other tokens than those of the tokenizer: none is the same.")
    places, others = torch.tensor(pairs).T
    found = rows[others]
    with torch.no_grad():
        own[places] = (found * (deviation / found.square().mean().sqrt())).to(own)
    click.echo(f"{len(pairs):,} of {len(own):,} tokens start from {source}.", err=True)
