"""What the options of all models have in common."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that reads symbols through an input embedding and writes them through an output embedding.

    Args:
        layers: Layers between the two embeddings.
        embedding_size: Width of both embeddings.
        tie: Whether the output embedding is the input embedding; `both` trains the two models side by side.
        src_vocab_size: Symbols of the input; taken from the data if left out.
        tgt_vocab_size: Symbols of the output; taken from the data if left out.
    """

    word: ClassVar[str]

    layers: int = 3
    embedding_size: int = 128
    tie: bool | Literal["both"] = False
    src_vocab_size: int | None = None
    tgt_vocab_size: int | None = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and not isinstance(value, bool) and value < 1:
                raise ValueError(f"--{field.name} must be at least 1, not {value}.")

    @property
    def name(self) -> str:
        """The name of the model's runs: `wt` (weight tying) at the end when it is tied."""
        return f"{self.word}{'wt' if self.tie is True else ''}"

    def variants(self) -> list[Self]:
        """The models that the options ask for: one, or the untied and the tied one."""
        return [dataclasses.replace(self, tie=tie) for tie in (False, True)] if self.tie == "both" else [self]

    def common(self, dataset: Any) -> dict[str, Any]:
        """What every network is made from.

        Args:
            dataset: A data set, or several by (split, name), of which the first is asked.

        Returns:
            The arguments that the networks share, by name.

        Raises:
            UserError: When a vocabulary size is given that is not the data's, or `tie` is `both`.
        """
        if self.tie == "both":
            raise UserError("--tie both is for the command line; a single model is tied or not.")
        data = next(iter(dataset.values())) if isinstance(dataset, dict) else dataset
        for flag, said in (("src", self.src_vocab_size), ("tgt", self.tgt_vocab_size)):
            if said not in (None, data.vocabulary_size):
                raise UserError(
                    f"--{flag}_vocab_size {said} does not fit the data, which has {data.vocabulary_size} symbols; "
                    "leave it out."
                )
        return {
            "vocabulary_size": data.vocabulary_size,
            "mask": data.mask,
            "embedding_size": self.embedding_size,
            "layers": self.layers,
            "tied": self.tie,
        }


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


@component("xor model lstm")
@dataclass(frozen=True, kw_only=True)
class LSTM(Model):
    """An LSTM (Hochreiter & Schmidhuber, 1997), then a linear map from its states to the embedding size.

    Args:
        hidden_size: Width of the state of each direction.
        bidirectional: Read in both directions.
    """

    word: ClassVar[str] = "lstm"

    hidden_size: int = 512
    bidirectional: bool = True

    def build(self, dataset: Any) -> Any:
        """The network for the data's vocabulary."""
        from semeqv.tying.xor.networks.lstm import LSTM as Network

        return Network(**self.common(dataset), hidden_size=self.hidden_size, bidirectional=self.bidirectional)


@component("xor model lstmwt")
@dataclass(frozen=True, kw_only=True)
class LSTMWT(LSTM):
    """The LSTM with tied embeddings: `lstm --tie`."""

    tie: bool | Literal["both"] = True


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
