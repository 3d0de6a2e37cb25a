"""The Transformer encoder without positions (Vaswani et al., 2017, arXiv 1706.03762)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from semeqv.tying.xor.networks.layers import activation_named, layer_norm, linear, select
from semeqv.tying.xor.networks.tied import TiedNetwork


class Transformer(TiedNetwork):
    """A Transformer encoder that normalises after each residual and knows no positions.

    The parameters are those of `nn.TransformerEncoder`, whose layers all start from the same values.

    Args:
        vocabulary_size: How many symbols there are.
        embedding_size: The width of the embeddings and of every layer.
        layers: How many encoder layers.
        heads: How many attention heads; they divide the width among them.
        feedforward_size: The width inside the feed-forward blocks.
        activation: `relu`, `gelu`, `tanh` or `sigmoid`, inside the feed-forward blocks.
        dropout: Share dropped in training of attention weights, of activations inside the feed-forward blocks, and of
            what both add to the residual.
        tied: Whether the input embedding predicts too.
        mask: The symbol that hides the one to predict.

    Raises:
        ValueError: The heads do not divide the width, or (from the bases) an activation or the mask is unknown.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int = 7,
        embedding_size: int,
        layers: int,
        heads: int,
        feedforward_size: int,
        activation: str,
        dropout: float = 0.0,
        tied: bool,
        mask: int = 6,
    ):
        super().__init__(vocabulary_size=vocabulary_size, embedding_size=embedding_size, tied=tied, mask=mask)
        if embedding_size % heads:
            raise ValueError(f"{heads} heads do not divide an embedding of size {embedding_size}")
        self.activation, self.dropout = activation_named(activation), dropout
        self.replicable = not dropout  # replicas of one program share no random numbers
        layer = nn.TransformerEncoderLayer(
            embedding_size, heads, feedforward_size, dropout, activation=self.activation, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def encode(self, hidden: Tensor, masked: Tensor) -> Tensor:
        """Read `(embedding, time, batch)`; `(embedding, batch)` where `masked`, `(time, batch)`, is 1."""
        *inner, last = self.encoder.layers
        for layer in inner:
            hidden = self._encode(layer, hidden, hidden)
        queries = select(hidden, masked)[:, None]  # only the masked position is predicted: (embedding, 1, batch)
        return self._encode(last, queries, hidden)[:, 0]

    def _encode(self, layer: nn.TransformerEncoderLayer, queries: Tensor, hidden: Tensor) -> Tensor:
        """Apply one layer at the positions `(embedding, queries, batch)`, attending to `(embedding, time, batch)`."""
        attended = layer_norm(layer.norm1, queries + self._drop(self._attend(layer.self_attn, queries, hidden)))
        inner = self._drop(self.activation(linear(layer.linear1.weight, layer.linear1.bias, attended)))
        written = self._drop(linear(layer.linear2.weight, layer.linear2.bias, inner))
        return layer_norm(layer.norm2, attended + written)

    def _attend(self, attention: nn.MultiheadAttention, queries: Tensor, hidden: Tensor) -> Tensor:
        """Attend from `(embedding, queries, batch)` to `(embedding, time, batch)`."""
        size, heads = attention.embed_dim, attention.num_heads
        weight, bias = attention.in_proj_weight, attention.in_proj_bias  # the queries' rows, then keys' and values'
        query = linear(weight[:size], bias[:size], queries).unflatten(0, (heads, -1))  # (heads, width, queries, batch)
        keys_values = linear(weight[size:], bias[size:], hidden)
        key, value = keys_values.unflatten(0, (2, heads, -1))  # (heads, width, time, batch)
        scores = (query.unsqueeze(3) * key.unsqueeze(2)).sum(1) * (size // heads) ** -0.5
        shares = torch.exp(scores - scores.amax(2, keepdim=True))  # (heads, queries, time, batch)
        shares = self._drop(shares / shares.sum(2, keepdim=True))
        mixed = (shares.unsqueeze(1) * value.unsqueeze(2)).sum(3)  # (heads, width, queries, batch)
        return linear(attention.out_proj.weight, attention.out_proj.bias, mixed.flatten(0, 1))

    def _drop(self, features: Tensor) -> Tensor:
        """Drop some activations, in training."""
        return functional.dropout(features, self.dropout, self.training) if self.dropout else features
