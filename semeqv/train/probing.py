"""What is looked at before the first step: whether data and model fit, and what the loss depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from semeqv.lazy import nn, torch
from semeqv.runs.errors import UserError
from semeqv.train.batches import Batch
from semeqv.train.compute import ComputeConfig
from semeqv.train.strategies import Rehearsal

Loss: TypeAlias = "Callable[[Mapping[str, torch.Tensor], Batch], Mapping[str, torch.Tensor]]"


def probe(model: nn.Module, loss: Loss, batch: Batch, regime: ComputeConfig) -> tuple[str, ...]:
    """The names of the metrics, found by one forward pass before step 1, without gradients.

    When the batch does not fit the model, `UserError` is raised with the batch's shapes and what torch says of it.
    """
    check_vocabulary(model, batch)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), regime.autocast():
            outputs = model(**batch)
            check_labels(outputs, batch)
            return tuple(loss(outputs, batch))
    except (UserError, torch.OutOfMemoryError):
        raise
    except (RuntimeError, IndexError, TypeError, ValueError) as error:
        raise misfit(model, batch, error) from error
    finally:
        model.train(was_training)


def misfit(model: nn.Module, batch: Batch, error: Exception) -> UserError:
    """Why a batch does not fit the model, in one line.

    Args:
        model: The model.
        batch: The batch.
        error: What torch says.

    Returns:
        The shapes of the batch with what torch says, or what is known to be wrong with it.
    """
    try:
        check_vocabulary(model, batch)
        check_length(model, batch)
    except UserError as known:
        return known
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in batch.items())
    return UserError(f"The data does not fit the model ({said}). A batch is: {shapes}.")


def check_labels(outputs: Mapping[str, torch.Tensor], batch: Batch) -> None:
    """Refuse labels for which the model has no logit (`UserError` from `check_classes`).

    Args:
        outputs: The model's, with or without `logits`.
        batch: With or without `labels`; those of -100 are not predicted.
    """
    logits, labels = outputs.get("logits"), batch.get("labels")
    if logits is None or labels is None or labels.is_floating_point():
        return
    check_classes(labels, logits.shape[-1])


def check_classes(labels: torch.Tensor, classes: int) -> None:
    """Refuse labels beyond a number of classes; those of -100 are not predicted. `UserError` names one of them."""
    asked = labels[labels != -100]
    wrong = asked[(asked < 0) | (asked >= classes)]
    if wrong.numel():
        raise UserError(f"The data has label {int(wrong[0])}, but the model tells {classes} classes apart.")


def check_length(model: nn.Module, batch: Batch) -> None:
    """Refuse rows that are longer than the model says it can read.

    Args:
        model: Looked at only if its `config` tells the number of its positions.
        batch: Looked at only if it has `input_ids`.

    Raises:
        UserError: When they are.
    """
    most = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    ids = batch.get("input_ids")
    if isinstance(most, int) and ids is not None and ids.dim() == 2 and ids.shape[1] > most:
        raise UserError(
            f"The data has rows of {ids.shape[1]} tokens, but the model reads {most} at once. Say --block_size {most} "
            "of the data, or more of the model."
        )


def check_vocabulary(model: nn.Module, batch: Batch) -> None:
    """Refuse token ids for which the model has no embedding.

    Args:
        model: Looked at only if it has `get_input_embeddings`.
        batch: Looked at only if it has `input_ids`.

    Raises:
        UserError: When an id is negative or beyond the last row.
    """
    embedding = getattr(model, "get_input_embeddings", lambda: None)()
    ids = batch.get("input_ids")
    if embedding is None or ids is None or not ids.numel():
        return
    rows, low, high = embedding.weight.shape[0], int(ids.min()), int(ids.max())
    if low < 0 or high >= rows:
        wrong = low if low < 0 else high
        raise UserError(f"The data has token id {wrong}, but the model has {rows} input embeddings (0 to {rows - 1}).")


def dry_run(loss: Loss, batch: Batch, regime: ComputeConfig) -> Rehearsal:
    """What takes a model through the first row of a batch (see `Alone.spread`)."""

    def rehearse(model: nn.Module, device: torch.device, backward: bool) -> set[str]:
        rows = len(next(iter(batch.values())))
        first = {name: each[:1] if each.dim() and len(each) == rows else each for name, each in batch.items()}
        row = {name: each.to(device) for name, each in first.items()}
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        with torch.set_grad_enabled(backward), regime.autocast():
            found = loss(model.train()(**row), row)["loss"]
        if backward:
            found.backward()  # type: ignore[no-untyped-call]
        unused = {name for name, each in model.named_parameters() if each.requires_grad and each.grad is None}
        model.zero_grad(set_to_none=True)
        for name, buffer in model.named_buffers():
            buffer.data.copy_(buffers[name])
        return unused

    return rehearse
