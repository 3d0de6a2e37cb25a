"""The LSTM (Hochreiter & Schmidhuber, 1997)."""

from typing import Any

import torch
from torch import Tensor, nn

from semeqv.problem.xor.networks.layers import embed, linear, multiply, one_hot, select
from semeqv.problem.xor.networks.tied import TiedNetwork


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
        self.lstm = nn.LSTM(embedding_size, hidden_size, layers, batch_first=True, bidirectional=bidirectional)
        self.projection = nn.Linear(len(self.directions) * hidden_size, embedding_size)

    def forward(self, input_ids: Tensor, **_: Any) -> dict[str, Tensor]:
        """Predict the masked symbol.

        Args:
            input_ids: `(batch, time)` integers, one of each row the mask; fastest when the samples are innermost in
                memory.

        Returns:
            `logits`: `(batch, vocabulary)`.
        """
        indicators = one_hot(input_ids, self.vocabulary_size)
        masked = indicators[self.mask]  # (time, batch)
        hidden = embed(self.input_embedding, indicators)  # (embedding, time, batch)
        for layer in range(self.lstm.num_layers):
            hidden = self._read(layer, hidden)  # (directions * hidden, time, batch)
        hidden = linear(self.projection.weight, self.projection.bias, select(hidden, masked))
        return {"logits": self.logits(hidden)}

    def _read(self, layer: int, features: Tensor) -> Tensor:
        """Run one layer over `(features, time, batch)`, all directions side by side."""
        inputs = []  # of each direction, in its order of reading: (4 * hidden, time, batch)
        for direction in self.directions:
            bias = self._parameter("bias_ih", layer, direction) + self._parameter("bias_hh", layer, direction)
            gates = multiply(self._parameter("weight_ih", layer, direction), features) + bias[:, None, None]
            inputs.append(gates.flip(1) if direction else gates)
        recurrent = torch.stack([self._parameter("weight_hh", layer, direction) for direction in self.directions])
        states = _recur(torch.stack(inputs), recurrent)
        return torch.cat([s.flip(1) if d else s for d, s in zip(self.directions, states)])

    def _parameter(self, name: str, layer: int, direction: str) -> Tensor:
        return getattr(self.lstm, f"{name}_l{layer}{direction}")


def _recur(inputs: Tensor, recurrent: Tensor) -> Tensor:
    """Carry the state through time.

    Args:
        inputs: `(directions, 4 * hidden, time, batch)`, what each step reads, in the order in, forget, cell, out.
        recurrent: `(directions, 4 * hidden, hidden)`.

    Returns:
        `(directions, hidden, time, batch)`.
    """
    states = []
    state = cell = None
    for step in inputs.unbind(2):
        gates = step if state is None else step + recurrent @ state  # the first state is zero
        enter, forget, candidate, leave = gates.chunk(4, 1)
        entering = torch.sigmoid(enter) * _tanh(candidate)
        cell = entering if cell is None else torch.sigmoid(forget) * cell + entering
        state = torch.sigmoid(leave) * _tanh(cell)
        states.append(state)
    return torch.stack(states, 2)


def _tanh(value: Tensor) -> Tensor:
    """The hyperbolic tangent, by the sigmoid, which the compiler vectorises."""
    return 2 * torch.sigmoid(2 * value) - 1
