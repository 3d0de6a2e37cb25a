"""What training minimises."""

import functools
from dataclasses import dataclass
from typing import Any

from semeqv.grammar.component import component


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
        from semeqv.train.objectives import cross_entropy, of_next, smoothed_cross_entropy

        loss: Any = cross_entropy
        if self.label_smoothing:
            loss = functools.partial(smoothed_cross_entropy, smoothing=self.label_smoothing)
        return functools.partial(of_next, loss=loss) if getattr(model, "predicts_next", False) else loss
