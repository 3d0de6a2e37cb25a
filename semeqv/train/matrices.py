"""Which weights of a model are hidden matrices, and which are embeddings and output heads."""

import contextlib
from collections.abc import Iterator
from typing import Any

from torch import nn

from semeqv.runs.errors import UserError

HEADS = {"head", "classifier", "score"}
ENDINGS = ("_head", "embedding", "embeddings")


def hidden_matrices(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The parameters of a model: hidden matrices, and all others.

    Args:
        model: Any module. A matrix that it reads or predicts with, by type, by `get_input_embeddings` and
            `get_output_embeddings`, or by name, is not hidden.

    Returns:
        The weights of two dimensions that are neither embeddings nor heads; the other parameters.

    Raises:
        UserError: When there is no hidden matrix.
    """
    outer = {id(parameter) for parameter in outer_parameters(model)}
    hidden = [p for p in model.parameters() if p.ndim == 2 and id(p) not in outer]
    if not hidden:
        raise UserError(f"{type(model).__name__} has no hidden matrix for Muon. Write: cli optimizers adamw")
    inner = {id(parameter) for parameter in hidden}
    return hidden, [p for p in model.parameters() if id(p) not in inner]


def outer_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters of embeddings and heads; what is shared appears under each of its names."""
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if any(part in HEADS or part.endswith(ENDINGS) for part in name.split(".")):
            yield parameter
    yield from embedding_parameters(model)


def embedding_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters of input and output embeddings."""
    for module in model.modules():
        if isinstance(module, nn.Embedding | nn.EmbeddingBag):
            yield from module.parameters()
    for side in ("input", "output"):
        with contextlib.suppress(NotImplementedError):  # what transformers raises where there is none
            if (end := getattr(model, f"get_{side}_embeddings", lambda: None)()) is not None:
                yield from end.parameters()


def decay_groups(model: nn.Module, weight_decay: float, decayed: str | None) -> list[dict[str, Any]]:
    """The parameters of a model in groups for an optimizer, by whether weight decay pulls them.

    Args:
        model: Any module.
        weight_decay: The strength of the pull on those that it pulls.
        decayed: `all`, `matrices` (neither biases nor the weights of norms), or `hidden` (matrices but for input and
            output embeddings); None for `matrices` in a model of transformers and `all` in any other.

    Returns:
        One group, or, when some are left out, two, each with its `weight_decay`.
    """
    if decayed is None:
        decayed = "matrices" if hasattr(model, "config") and hasattr(model, "get_input_embeddings") else "all"
    left_out = {id(p) for p in embedding_parameters(model)} if decayed == "hidden" else set()
    if decayed != "all":
        left_out |= {id(p) for p in model.parameters() if p.ndim < 2}
    pulled = [p for p in model.parameters() if id(p) not in left_out]
    free = [p for p in model.parameters() if id(p) in left_out]
    groups = [{"params": pulled, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
