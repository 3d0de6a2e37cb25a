"""What a sentence can end with, whatever it is about."""

from dataclasses import dataclass
from typing import Any

from semeqv.grammar.component import component
from semeqv.results.tables import print_metrics


@component("train")
@dataclass(frozen=True, kw_only=True)
class Train:
    """Train the model."""

    def build(self, trainer: Any) -> Any:
        """Train, and print the last metrics of every run; returns them."""

        metrics = trainer.train()
        if metrics:
            split = "validation" if trainer.validsplits else "train"
            print_metrics(f"{split}, step {trainer.step}", trainer, {None: metrics})
        return metrics


@component("test")
@dataclass(frozen=True, kw_only=True)
class Test:
    """Measure the test sets, with the best weights when they were kept, else with the last.

    A model that was opened by --from is measured as it is, where its run has no checkpoint.
    """

    def build(self, trainer: Any) -> Any:
        """Test, and print the metrics of every run; returns them by data set."""

        metrics = trainer.test()
        print_metrics("test", trainer, metrics)
        return metrics
