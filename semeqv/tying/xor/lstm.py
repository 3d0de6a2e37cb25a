"""The LSTM."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.tying.xor.models import Model


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
