"""What training minimises."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from semeqv.grammar.component import component
from semeqv.lazy import functional, torch


@component("loss cross-entropy")
@dataclass(frozen=True, kw_only=True)
class CrossEntropy:
    """Cross-entropy of logits against labels, in nats; also measures the accuracy.

    Logits are (..., classes), labels (...). Labels of -100 are not predicted. The logits of a model that predicts the
    next token (it says so by an attribute `predicts_next`) are compared with the labels one position later. With
    smoothing, `loss` is what training minimises, and `cross_entropy`, measured beside it, is that without smoothing.

    Args:
        label_smoothing: Share of a label's weight that goes to all classes alike (Szegedy et al., 2016, arXiv
            1512.00567).
    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"--label_smoothing must be from 0 to below 1, not {self.label_smoothing}.")

    def build(self, model: Any = None) -> Any:
        """The loss: from a model's outputs and the batch to the metrics."""
        loss: Any = cross_entropy
        if self.label_smoothing:
            loss = functools.partial(smoothed_cross_entropy, smoothing=self.label_smoothing)
        return functools.partial(of_next, loss=loss) if getattr(model, "predicts_next", False) else loss


Loss: TypeAlias = "Callable[[Mapping[str, torch.Tensor], Mapping[str, torch.Tensor]], dict[str, torch.Tensor]]"

UNLABELLED = -100
FEW = 64  # classes up to which comparing with every class is cheaper than looking up


def cross_entropy(outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross-entropy in nats, and accuracy, over the labels that are not -100.

    Args:
        outputs: `logits`, (..., classes).
        batch: `labels`, (...), integers.

    Returns:
        `loss` and `accuracy`, scalars: means over those labels.
    """
    logits, labels = outputs["logits"].float(), batch["labels"]
    if logits.shape[-1] > FEW:
        count = (labels != -100).sum().clamp(min=1)
        total = functional.cross_entropy(
            logits.flatten(0, -2), labels.flatten().long(), ignore_index=-100, reduction="sum"
        )
        return {"loss": total / count, "accuracy": (logits.argmax(-1) == labels).sum() / count}
    # Few classes: comparisons and sums, which a compiler fuses with what is around them; a lookup it cannot.
    hot = labels[..., None] == torch.arange(logits.shape[-1], device=labels.device, dtype=labels.dtype)
    asked = hot.float().sum(-1)
    gold = logits.where(hot, 0.0).sum(-1)
    count = asked.sum().clamp(min=1)
    known = asked.sum() == (labels != -100).sum()  # a label beyond the classes makes the loss NaN, which ends the run
    count = count.where(known, torch.nan)
    return {
        "loss": ((logits.logsumexp(-1) - gold) * asked).sum() / count,
        "accuracy": ((logits.argmax(-1) == labels) * asked).sum() / count,
    }


def smoothed_cross_entropy(
    outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor], smoothing: float
) -> dict[str, torch.Tensor]:
    """Cross-entropy against labels that leave a share of their weight to all classes alike.

    Args:
        outputs: `logits`, (..., classes).
        batch: `labels`, (...), integers.
        smoothing: That share (Szegedy et al., 2016, arXiv 1512.00567, section 7).

    Returns:
        `loss`, `accuracy`, and `cross_entropy`: the loss without smoothing.
    """
    labels, log_likelihoods = batch["labels"], outputs["logits"].float().log_softmax(-1)
    asked = labels != -100
    count = asked.sum().clamp(min=1)
    gold = log_likelihoods.gather(-1, labels.clamp(min=0).long()[..., None])[..., 0]
    plain = -(gold * asked).sum() / count
    uniform = -(log_likelihoods.mean(-1) * asked).sum() / count
    return {
        "loss": (1 - smoothing) * plain + smoothing * uniform,
        "accuracy": (outputs["logits"].argmax(-1) == labels).sum() / count,
        "cross_entropy": plain,
    }


def ignores_unlabelled(loss: Callable[..., object]) -> bool:
    """Return whether a loss is known to leave out what has the label -100: each of this file, options given or not."""
    return getattr(loss, "func", loss) in (cross_entropy, smoothed_cross_entropy)


def of_next(
    outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor], loss: Loss
) -> dict[str, torch.Tensor]:
    """A loss of a model that predicts the next token: the logits at a position are for the label of the one after it.

    Args:
        outputs: `logits`, (..., time, classes).
        batch: `labels`, (..., time), integers; those at time 0 are not predicted.
        loss: A loss whose logits are for the label of their own position.

    Returns:
        What that loss returns.
    """
    return loss({**outputs, "logits": outputs["logits"][..., :-1, :]}, {**batch, "labels": batch["labels"][..., 1:]})
