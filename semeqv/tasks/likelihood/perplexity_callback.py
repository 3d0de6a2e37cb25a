"""Perplexity beside the loss of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import click

from semeqv.grammar.component import component
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.train.callbacks.callback import Callback


@component("callbacks perplexity")
@dataclass(frozen=True, kw_only=True)
class PerplexityCallback:
    """Log perplexity, the exponential of the cross-entropy of a split, whenever that is measured, and print it.

    It goes to metrics.jsonl, and so to what shows a run elsewhere. That of masked tokens is called masked perplexity:
    it compares models that are asked for the same tokens, and is no perplexity of a text (see `cli perplexity`).

    Args:
        split: The split to observe.
    """

    split: Literal["train", "validation", "test"] = "validation"

    def build(self) -> Any:
        """Build the callback."""
        return PerplexityLogger(self.split)


class PerplexityLogger(Callback):
    """Adds a line with the perplexity to metrics.jsonl of every run.

    Args:
        split: The split to observe.
    """

    def __init__(self, split: str):
        super().__init__(split, epochs=1)

    def on_start(self, trainer: Any) -> None:
        """Refuse a model whose loss is no cross-entropy of tokens.

        Args:
            trainer: The Trainer.

        Raises:
            UserError: When it is none.
        """
        if not hasattr(trainer.models[0], "get_output_embeddings"):
            raise UserError(f"{type(trainer.models[0]).__name__} is no language model: its loss tells no perplexity.")

    def on_epoch(self, trainer: Any, metrics: Any, name: str | None) -> None:
        """Write and print the perplexity of a pass.

        Args:
            trainer: Says which epoch and step it is.
            metrics: `loss` in nats a token, or `cross_entropy` where the loss is smoothed; arrays over replicas.
            name: The name of the data set.
        """
        with numpy.errstate(over="ignore"):
            values = numpy.exp(metrics.get("cross_entropy", metrics["loss"]))
        key = "perplexity" if getattr(trainer.models[0], "predicts_next", False) else "masked_perplexity"
        where = {"epoch": trainer.epoch, "step": trainer.step, "split": self.split, "name": name}
        for run, value in zip(trainer.runs, values):
            run.metrics.append(where | {key: float(value)})
        label = f"{self.split} {name}" if name else self.split
        shown = f"{key.replace('_', ' ')} {values.mean():.3f}"
        click.echo(f"epoch {trainer.epoch}  step {trainer.step}  {label}  {shown}", err=True)
