"""What training minimises."""

from dataclasses import dataclass
from typing import Any

from semeqv.engine.component import component


@component("loss cross-entropy")
@dataclass(frozen=True, kw_only=True)
class CrossEntropy:
    """Cross-entropy of logits against labels, in nats; also measures the accuracy.

    Logits are (..., classes), labels (...). Labels of -100 are not predicted.
    """

    def build(self) -> Any:
        """The loss: from a model's outputs and the batch to `loss` and `accuracy`."""
        from semeqv.engine.objectives import cross_entropy

        return cross_entropy
