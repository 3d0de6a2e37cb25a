"""Unties the embeddings of a model while it trains."""

from __future__ import annotations

from typing import Any

from semeqv.runs.errors import UserError
from semeqv.text.models.embeddings import is_tied


def untie(model: Any) -> None:
    """Untie the embeddings of a model.

    Args:
        model: Has a method `decouple`, unless it is untied already.

    Raises:
        UserError: When it is tied and has none.
    """
    if hasattr(model, "decouple"):
        model.decouple()
    elif not hasattr(model, "get_output_embeddings") or is_tied(model):
        raise UserError(f"{type(model).__name__} cannot untie its embeddings.")
