"""What the study's networks share: an input and an output embedding, tied or not."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from semeqv.runs.errors import UserError
from semeqv.tying.xor.networks.layers import embed, linear, one_hot


class TiedNetwork(nn.Module):
    """A network that reads symbols through one embedding and predicts them through another, or through the same.

    Tying is data, a boolean buffer, rather than structure: tied and untied replicas run as one program. Both matrices
    are drawn from N(0, 1), the input matrix first, before anything else, so that the tied and the untied network of one
    seed start from the same values. An output matrix that is not used gets a zero gradient.

    A saved `state_dict` holds the matrix in use under `output_embedding.weight`, whether tied or not.

    Args:
        vocabulary_size: How many symbols there are.
        embedding_size: The width of both embeddings.
        tied: Whether the input embedding predicts too.
        mask: The symbol that hides the one to predict.

    Raises:
        ValueError: The mask is no symbol of the vocabulary.
    """

    replicable = True
    """`forward` is a pure function of parameters and buffers for one replica, so many replicas can run under vmap."""

    renamed: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Parts of names in the study's original code, and what they are called here."""

    tied: Tensor

    def __init__(self, *, vocabulary_size: int, embedding_size: int, tied: bool, mask: int):
        super().__init__()
        if not 0 <= mask < vocabulary_size:
            raise ValueError(f"mask {mask} is no symbol of a vocabulary of {vocabulary_size}")
        self.vocabulary_size = vocabulary_size
        self.mask = mask
        self.input_embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.output_embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.register_buffer("tied", torch.tensor(tied))
        self.register_state_dict_post_hook(_save_output_matrix)  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> nn.Embedding:
        """Give the embedding that reads symbols."""
        return self.input_embedding

    def get_output_embeddings(self) -> nn.Embedding:
        """Give the embedding that predicts symbols: when tied, the one that reads them."""
        return self.input_embedding if self.tied else self.output_embedding

    def output_matrix(self) -> Tensor:
        """Give the matrix that predicts symbols, `(vocabulary, embedding)`."""
        return torch.where(self.tied, self.input_embedding.weight, self.output_embedding.weight)

    def forward(self, input_ids: Tensor, **_: Any) -> dict[str, Tensor]:
        """Predict the masked symbol.

        Args:
            input_ids: `(batch, time)` integers, one of each row the mask; fastest when the samples are innermost in
                memory.

        Returns:
            `logits`: `(batch, vocabulary)`.
        """
        indicators = one_hot(input_ids, self.vocabulary_size)
        hidden = embed(self.input_embedding, indicators)  # (embedding, time, batch)
        hidden = self.encode(hidden, indicators[self.mask])  # (embedding, batch)
        return {"logits": linear(self.output_matrix(), None, hidden).T}

    def encode(self, hidden: Tensor, masked: Tensor) -> Tensor:
        """Read `(embedding, time, batch)`; `(embedding, batch)` where `masked`, `(time, batch)`, is 1."""
        raise NotImplementedError

    def from_original(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """Rename the weights of the study's original code.

        Args:
            weights: By their names there.

        Returns:
            What `load_state_dict` takes, and the names of the parameters in the order of the original; a tied matrix
            counts once, as the input embedding.

        Raises:
            UserError: When that network is tied and this one is not, or the other way round.
        """
        found: dict[str, Tensor] = {}
        for original, tensor in weights.items():
            name = original
            for old, new in self.renamed:
                name = name.replace(old, new)
            found[name] = tensor
        read, predict = (found.get(f"{side}_embedding.weight") for side in ("input", "output"))
        tied = read is not None and predict is not None and torch.equal(read, predict)
        if tied != bool(self.tied):
            word = "tied: name a model that ends in wt" if tied else "not tied: name a model that does not end in wt"
            raise UserError(f"The embeddings of the checkpoint are {word}.")
        names = [name for name in found if not (tied and name == "output_embedding.weight")]
        return found | {"tied": self.tied.clone()}, names

    @torch.no_grad()
    def decouple(self) -> None:
        """Untie: the output embedding goes on from the values of the input embedding."""
        self.output_embedding.weight.copy_(self.output_matrix())
        self.tied.fill_(False)


def _save_output_matrix(network: nn.Module, state: dict[str, Any], prefix: str, _metadata: dict[str, Any]) -> None:
    tied, read, predict = (
        state[prefix + name] for name in ("tied", "input_embedding.weight", "output_embedding.weight")
    )
    state[prefix + "output_embedding.weight"] = torch.where(tied, read, predict)
