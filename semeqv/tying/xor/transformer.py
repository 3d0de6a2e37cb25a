"""The Transformer."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.tying.xor.models import Model


@component("xor model transformer")
@dataclass(frozen=True, kw_only=True)
class Transformer(Model):
    """A Transformer encoder (Vaswani et al., 2017, arXiv 1706.03762), post-LN and without positions.

    Args:
        heads: Attention heads.
        feedforward_size: Width inside the feed-forward network.
        activation: Nonlinearity of the feed-forward network.
        dropout: Share of activations dropped in training. The study's experiments train without; a run that drops some
            is not compiled, and several seeds train one after the other.
    """

    word: ClassVar[str] = "transformer"

    heads: int = 2
    feedforward_size: int = 512
    activation: Literal["relu", "gelu", "tanh", "sigmoid"] = "relu"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.embedding_size % self.heads:
            raise ValueError(f"--heads {self.heads} must divide --embedding_size {self.embedding_size}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"--dropout must be from 0 to below 1, not {self.dropout:g}.")

    def build(self, dataset: Any) -> Any:
        """The network for the data's vocabulary."""
        from semeqv.tying.xor.networks.transformer import Transformer as Network

        return Network(
            **self.common(dataset),
            heads=self.heads,
            feedforward_size=self.feedforward_size,
            activation=self.activation,
            dropout=self.dropout,
        )


@component("xor model transformerwt")
@dataclass(frozen=True, kw_only=True)
class TransformerWT(Transformer):
    """The Transformer with tied embeddings: `transformer --tie`."""

    tie: bool | Literal["both"] = True
