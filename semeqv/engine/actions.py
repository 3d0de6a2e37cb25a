"""What a sentence can end with, whatever it is about."""

from dataclasses import dataclass
from typing import Any

from semeqv.engine.component import component


@component("train")
@dataclass(frozen=True, kw_only=True)
class Train:
    """Train the model."""

    def build(self, trainer: Any) -> None:
        """Train, and print the last metrics of every run."""
        from semeqv.engine.report import print_metrics

        metrics = trainer.train()
        if not metrics:
            return
        split = "validation" if trainer.validsplits else "train"
        print_metrics(f"{split}, step {trainer.step}", trainer, {None: metrics})


@component("test")
@dataclass(frozen=True, kw_only=True)
class Test:
    """Measure the test sets, with the best weights when they were kept, else with the last.

    A model that was opened by --from is measured as it is, where its run has no checkpoint.
    """

    def build(self, trainer: Any) -> None:
        """Test, and print the metrics of every run."""
        from semeqv.engine.report import print_metrics

        print_metrics("test", trainer, trainer.test())
