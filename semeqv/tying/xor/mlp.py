"""The MLP-Mixer."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.tying.xor.models import Model


@component("xor model mlp")
@dataclass(frozen=True, kw_only=True)
class MLP(Model):
    """An MLP-Mixer (Tolstikhin et al., 2021, arXiv 2105.01601), pre-norm: over the positions, then over the channels.

    Args:
        sequence_size: Positions; taken from the data if left out.
        tokenwise_feedforward_size: Width inside the network over the positions.
        channelwise_feedforward_size: Width inside the network over the channels.
        activation: Nonlinearity of both networks.
    """

    word: ClassVar[str] = "mlp"

    sequence_size: int | None = None
    tokenwise_feedforward_size: int = 512
    channelwise_feedforward_size: int = 512
    activation: Literal["relu", "gelu", "tanh", "sigmoid"] = "relu"

    def build(self, dataset: Any) -> Any:
        """The network for the data's vocabulary and length.

        Args:
            dataset: A data set, or several by (split, name), of which the first is asked.

        Returns:
            The network, its weights drawn anew.

        Raises:
            UserError: When a length is given that is not the data's, or (from `common`) a vocabulary size.
        """
        from semeqv.tying.xor.networks.mlp import MLP as Network

        data = next(iter(dataset.values())) if isinstance(dataset, dict) else dataset
        if self.sequence_size not in (None, data.sequence_size):
            raise UserError(
                f"--sequence_size {self.sequence_size} does not fit the data, whose sequences have "
                f"{data.sequence_size} symbols; leave it out."
            )
        return Network(
            **self.common(dataset),
            sequence_size=data.sequence_size,
            activation=self.activation,
            tokenwise_feedforward_size=self.tokenwise_feedforward_size,
            channelwise_feedforward_size=self.channelwise_feedforward_size,
        )


@component("xor model mlpwt")
@dataclass(frozen=True, kw_only=True)
class MLPWT(MLP):
    """The MLP-Mixer with tied embeddings: `mlp --tie`."""

    tie: bool | Literal["both"] = True
