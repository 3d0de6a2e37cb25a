"""What a method works with."""

from dataclasses import dataclass
from typing import Any

import torch

from ofa.plan import Integers
from ofa.topk_search import CPU
from ofa.vocabulary import Vocabulary


@dataclass(frozen=True)
class Work:
    """A model that is to be given a new vocabulary.

    Args:
        model: The model.
        source: Its vocabulary.
        target: The new one.
        shared: Ids of the target, and of the source, of the tokens that are copied, `(shared,)` each.
        kept: Numbers of a coordinate; None when embeddings are not factorised.
        facts: What the method wants to be known of it, as JSON; it may add to them.
        device: Where rows are compared; it has float64.
    """

    model: Any
    source: Vocabulary
    target: Vocabulary
    shared: tuple[Integers, Integers]
    kept: int | None
    facts: dict[str, Any]
    device: torch.device = CPU

    @property
    def embedding(self) -> torch.Tensor:
        """`(old rows, width)`, the embedding that reads tokens."""
        found: torch.Tensor = self.model.get_input_embeddings().weight.detach()
        return found
