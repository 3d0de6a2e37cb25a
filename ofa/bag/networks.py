"""A model that is nothing but its embedding."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput


class BagConfig(PreTrainedConfig):
    """The sizes of a bag of words.

    Args:
        vocab_size: Words, and special tokens.
        hidden_size: Numbers of a vector.
        **rest: What every configuration has.
    """

    model_type = "word-bag"

    def __init__(self, vocab_size: int = 4, hidden_size: int = 200, **rest: Any):
        self.vocab_size, self.hidden_size = vocab_size, hidden_size
        super().__init__(**rest)


class BagPreTrainedModel(PreTrainedModel):
    """What transformers wants to know of such models."""

    config_class = BagConfig
    base_model_prefix = "bag"

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding | nn.Linear):
            module.weight.data.normal_(std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.data.zero_()


class BagModel(BagPreTrainedModel):
    """The vectors of the words of a text, whatever stands around them; they are not trained.

    Args:
        config: The sizes.
    """

    def __init__(self, config: BagConfig):
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Give the vectors."""
        return self.embedding

    def set_input_embeddings(self, value: Any) -> None:
        """Replace the vectors."""
        self.embedding = value

    def forward(self, input_ids: Tensor, output_hidden_states: bool = False, **rest: Any) -> BaseModelOutput:
        """Look `(batch, time)` words up; `last_hidden_state` is `(batch, time, width)`, and the only layer."""
        states = self.embedding(input_ids).detach()  # opening a folder makes all weights trainable
        return BaseModelOutput(last_hidden_state=states, hidden_states=(states,) if output_hidden_states else None)


def bag_of(matrix: Tensor) -> BagModel:
    """Make the model of vectors, `(words, width)`."""
    model = BagModel(BagConfig(*matrix.shape))
    with torch.no_grad():
        model.embedding.weight.copy_(matrix)
    return model


AutoConfig.register(BagConfig.model_type, BagConfig)
AutoModel.register(BagConfig, BagModel)
