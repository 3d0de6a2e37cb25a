"""The MLP-Mixer (Tolstikhin et al., 2021, arXiv 2105.01601)."""

from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor, nn

from semeqv.tying.xor.networks.layers import activation_named, layer_norm, linear, select
from semeqv.tying.xor.networks.tied import TiedNetwork


class MixerLayer(nn.Module):
    """The parameters of one layer: a network over time, then one over the embedding, each after a layer norm.

    Args:
        embedding_size: The width of the embeddings.
        sequence_size: How many positions a sequence has.
        tokenwise_size: The width inside the network over time.
        channelwise_size: The width inside the network over the embedding.
    """

    def __init__(self, embedding_size: int, sequence_size: int, tokenwise_size: int, channelwise_size: int):
        super().__init__()
        self.token_norm = nn.LayerNorm(embedding_size)
        self.token_linear1 = nn.Linear(sequence_size, tokenwise_size)
        self.token_linear2 = nn.Linear(tokenwise_size, sequence_size)
        self.channel_norm = nn.LayerNorm(embedding_size)
        self.channel_linear1 = nn.Linear(embedding_size, channelwise_size)
        self.channel_linear2 = nn.Linear(channelwise_size, embedding_size)


class MLP(TiedNetwork):
    """An MLP-Mixer: `x += tokens(norm(x))` over time, then `x += channels(norm(x))` over the embedding.

    Args:
        vocabulary_size: How many symbols there are.
        embedding_size: The width of the embeddings and of every layer.
        layers: How many mixer layers.
        sequence_size: How many positions a sequence has.
        tokenwise_feedforward_size: The width inside the networks over time.
        channelwise_feedforward_size: The width inside the networks over the embedding.
        activation: `relu`, `gelu`, `tanh` or `sigmoid`.
        tied: Whether the input embedding predicts too.
        mask: The symbol that hides the one to predict.
    """

    renamed: ClassVar = (
        ("tokenwise_layer.fc0", "token_linear1"),
        ("tokenwise_layer.fc1", "token_linear2"),
        ("channelwise_layer.fc0", "channel_linear1"),
        ("channelwise_layer.fc1", "channel_linear2"),
        ("pre_norm", "token_norm"),
        ("post_norm", "channel_norm"),
    )

    def __init__(
        self,
        *,
        vocabulary_size: int = 7,
        embedding_size: int,
        layers: int,
        sequence_size: int = 8,
        tokenwise_feedforward_size: int,
        channelwise_feedforward_size: int,
        activation: str,
        tied: bool,
        mask: int = 6,
    ):
        super().__init__(vocabulary_size=vocabulary_size, embedding_size=embedding_size, tied=tied, mask=mask)
        self.activation = activation_named(activation)
        sizes = embedding_size, sequence_size, tokenwise_feedforward_size, channelwise_feedforward_size
        self.layers: Any = nn.ModuleList(MixerLayer(*sizes) for _ in range(layers))

    def encode(self, hidden: Tensor, masked: Tensor) -> Tensor:
        """Read `(embedding, time, batch)`; `(embedding, batch)` where `masked`, `(time, batch)`, is 1."""
        *inner, last = self.layers
        for layer in inner:
            hidden = self._mix_channels(layer, self._mix_tokens(layer, hidden))
        hidden = select(self._mix_tokens(last, hidden), masked)  # only the masked position is predicted
        return self._mix_channels(last, hidden)

    def _mix_tokens(self, layer: MixerLayer, hidden: Tensor) -> Tensor:
        """Apply a network to the time of `(embedding, time, batch)`."""
        normal = layer_norm(layer.token_norm, hidden).transpose(0, 1)  # (time, embedding, batch)
        mixed = _feed_forward(layer.token_linear1, self.activation, layer.token_linear2, normal)
        return hidden + mixed.transpose(0, 1)

    def _mix_channels(self, layer: MixerLayer, hidden: Tensor) -> Tensor:
        """Apply a network to the embedding of `(embedding, ..., batch)`."""
        normal = layer_norm(layer.channel_norm, hidden)
        return hidden + _feed_forward(layer.channel_linear1, self.activation, layer.channel_linear2, normal)


def _feed_forward(
    widen: nn.Linear, activation: Callable[[Tensor], Tensor], narrow: nn.Linear, features: Tensor
) -> Tensor:
    return linear(narrow.weight, narrow.bias, activation(linear(widen.weight, widen.bias, features)))
