"""The LSTM (Hochreiter & Schmidhuber, 1997)."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from semeqv.tying.xor.networks.layers import linear, select
from semeqv.tying.xor.networks.tied import TiedNetwork


class LSTM(TiedNetwork):
    """A recurrent network, in one direction or two, whose state is projected to the width of the embeddings.

    The parameters are those of `nn.LSTM` and of an `nn.Linear` after it.

    Args:
        vocabulary_size: How many symbols there are.
        embedding_size: The width of the embeddings.
        layers: How many recurrent layers.
        hidden_size: The width of the state of each direction.
        bidirectional: Whether a second network reads from the end.
        tied: Whether the input embedding predicts too.
        mask: The symbol that hides the one to predict.
    """

    renamed: ClassVar = (("feed_forward.", "projection."),)

    def __init__(
        self,
        *,
        vocabulary_size: int = 7,
        embedding_size: int,
        layers: int,
        hidden_size: int,
        bidirectional: bool,
        tied: bool,
        mask: int = 6,
    ):
        super().__init__(vocabulary_size=vocabulary_size, embedding_size=embedding_size, tied=tied, mask=mask)
        self.directions = ("", "_reverse") if bidirectional else ("",)
        lstm = nn.LSTM(embedding_size, hidden_size, layers, bidirectional=bidirectional)
        self.lstm = nn.ParameterDict(dict(lstm.named_parameters()))  # the compiler does not trace nn.LSTM
        self.layers = layers
        self.projection = nn.Linear(len(self.directions) * hidden_size, embedding_size)

    def encode(self, hidden: Tensor, masked: Tensor) -> Tensor:
        """Read `(embedding, time, batch)`; `(embedding, batch)` where `masked`, `(time, batch)`, is 1."""
        for layer in range(self.layers):
            hidden = self._read(layer, hidden)  # (directions * hidden, time, batch)
        return linear(self.projection.weight, self.projection.bias, select(hidden, masked))

    def _read(self, layer: int, features: Tensor) -> Tensor:
        """Run one layer over `(features, time, batch)`, both directions side by side."""
        inputs = torch.stack([features.flip(1) if direction else features for direction in self.directions])
        weights, biases = [], []
        for direction in self.directions:
            names = (f"{name}_l{layer}{direction}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            weight_ih, weight_hh, bias_ih, bias_hh = (self.lstm[name] for name in names)
            weights.append(torch.cat([weight_ih, weight_hh], 1))
            biases.append(bias_ih + bias_hh)
        states = torch.vmap(_recur)(inputs, torch.stack(weights), torch.stack(biases))
        forward, *backward = states.unbind(0)
        return torch.cat([forward, *(states.flip(1) for states in backward)])


def _recur(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Carry the state through time.

    Args:
        features: `(features, time, batch)`.
        weight: `(4 * hidden, features + hidden)`, of the gates in, forget, cell and out.
        bias: `(4 * hidden,)`.

    Returns:
        `(hidden, time, batch)`.
    """
    size = len(bias) // 4
    state = cell = features.new_zeros(size, features.shape[2])
    states = []
    for step in features.split(1, 1):
        gates = linear(weight, bias, torch.cat([step.squeeze(1), state]))
        enter, forget, candidate, leave = gates.chunk(4)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * _tanh(candidate)
        state = torch.sigmoid(leave) * _tanh(cell)
        states.append(state)
    return torch.stack(states, 1)


def _tanh(value: Tensor) -> Tensor:
    """The hyperbolic tangent, by the sigmoid, which the compiler vectorises."""
    return 2 * torch.sigmoid(2 * value) - 1
