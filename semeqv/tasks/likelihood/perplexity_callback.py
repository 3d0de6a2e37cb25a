"""Perplexity beside the loss of a run."""

from dataclasses import dataclass
from typing import Any, Literal

from semeqv.grammar.component import component


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
        """The callback."""
        from semeqv.tasks.likelihood.perplexity_logger import PerplexityLogger

        return PerplexityLogger(self.split)
