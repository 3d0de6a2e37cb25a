"""Models in evaluation: where they compute, what they can read, what to call them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from semeqv.lazy import torch
from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.train.compute import Compute, ComputeConfig, resolve_precision, set_precision, torch_device


@contextmanager
def inference(
    model: Any, device: str | Compute | None = None, precision: str = "fp32", threads: int | None = None
) -> Iterator[ComputeConfig]:
    """Put a model where it is to compute, without dropout and gradients; it is as before afterwards, but for the place.

    Args:
        model: A module; it is moved.
        device: A `Compute`, which says the other two as well; or auto, cpu, cuda, cuda:N or mps; or None, where the
            model is. `UserError` is raised when there is no such device.
        precision: Numbers of the forward pass: auto, fp32, tf32, bf16 or fp16.
        threads: Of a CPU; all cores if None.

    Yields:
        The regime; `place` puts batches where the model is.
    """
    compute = device if isinstance(device, Compute) else Compute(device, precision, threads)
    place = torch_device(compute.device, World()) if compute.device is not None else next(model.parameters()).device
    regime = ComputeConfig(place, resolve_precision(compute.precision, place))
    set_precision(regime.precision)
    if compute.threads:
        torch.set_num_threads(compute.threads)
    was_training = model.training
    model.to(regime.device).eval()
    try:
        with torch.no_grad(), regime.autocast():
            yield regime
    finally:
        model.train(was_training)


def most_tokens(model: Any) -> int | None:
    """Return how many tokens a model can read at once; None where its configuration names no limit.

    RoBERTa and its kin count positions from behind the padding token, so that they read fewer than they have.
    """
    config = getattr(model, "config", None)
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None or getattr(config, "positions", None) == "none":  # the encoder that knows no order
        return None
    embeddings = getattr(getattr(model, "base_model", None), "embeddings", None)
    offset = getattr(embeddings, "padding_idx", None)
    table = getattr(embeddings, "position_embeddings", None)
    return int(positions) - (offset + 1 if offset is not None and getattr(table, "padding_idx", None) == offset else 0)


def check_tokenizer(model: Any, tokenizer: Any) -> None:
    """Refuse a tokenizer with tokens that a model does not know.

    Args:
        model: Has input embeddings.
        tokenizer: Of transformers; its ids may have gaps.

    Raises:
        UserError: When it has a token beyond the embeddings of the model.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    if (needed := max(tokenizer.get_vocab().values(), default=-1) + 1) > rows:
        raise UserError(f"The tokenizer has {needed} tokens, the model {rows}: they do not belong together.")


def check_trained(model: Any) -> None:
    """Refuse a model of which a part was drawn anew and that nothing has trained since: its answers mean nothing.

    Args:
        model: Has a `source` when it was opened as it was saved, and is `trained` when a Trainer has trained it, or has
            given it the weights of a checkpoint.

    Raises:
        UserError: When it is neither.
    """
    if getattr(model, "source", None) is None and not getattr(model, "trained", False):
        raise UserError(
            f"The {type(model).__name__} has weights that were drawn anew and never trained. Put cli train before "
            "this, or open a trained one by --from, with the labels and sizes that it has."
        )


def with_new_weights(lines: list[dict[str, Any]], model: Any) -> list[dict[str, Any]]:
    """Return results that say of how many weights of the model the folder had none: they are random, as a new head is.

    Args:
        lines: The results, as JSON objects.
        model: What was measured; its `new_weights` are the names of those that were drawn anew when it was opened.

    Returns:
        The same lines, with `new_weights` where there are any that nothing has trained since.
    """
    drawn = len(getattr(model, "new_weights", ()))
    return (
        [line | {"new_weights": drawn} for line in lines] if drawn and not getattr(model, "trained", False) else lines
    )


def name_of(model: Any) -> str:
    """Return what to call a model in results: what it calls itself, else what it was opened from, else its class."""
    return str(getattr(model, "called", None) or getattr(model, "source", None) or type(model).__name__)
