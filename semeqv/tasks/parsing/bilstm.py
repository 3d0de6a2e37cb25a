"""A bidirectional LSTM as a plain model of transformers: the control beside which Transformers are trained."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from semeqv.tasks.parsing.networks import dropped


class BiLSTMConfig(PreTrainedConfig):
    """The sizes of a bidirectional LSTM.

    Args:
        vocab_size: Tokens.
        embedding_size: Width of the embeddings.
        hidden_size: Width of what a layer writes, one half in each direction.
        num_hidden_layers: Layers.
        hidden_dropout_prob: Share of what each layer reads that is dropped in training.
        word_dropout_prob: Share of the words whose whole embeddings are dropped in training.
        **rest: What every configuration has.
    """

    model_type = "semeqv-bilstm"

    def __init__(
        self,
        *,
        vocab_size: int = 8000,
        embedding_size: int = 256,
        hidden_size: int = 512,
        num_hidden_layers: int = 2,
        hidden_dropout_prob: float = 0.33,
        word_dropout_prob: float = 0.0,
        **rest: Any,
    ):
        self.vocab_size = vocab_size
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.hidden_dropout_prob = hidden_dropout_prob
        self.word_dropout_prob = word_dropout_prob
        super().__init__(**rest)


class BiLSTMPreTrainedModel(PreTrainedModel):
    """What the LSTM with and without a head have in common."""

    config_class = BiLSTMConfig
    base_model_prefix = "bilstm"

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight)
        elif isinstance(module, nn.LSTM):
            for weight in module.parameters():  # as torch does
                nn.init.uniform_(weight, -(module.hidden_size**-0.5), module.hidden_size**-0.5)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)


class BiLSTMModel(BiLSTMPreTrainedModel):
    """Layers that each read the words from the left, and from the right.

    Below a parser it is given a vector for each word, made of the embeddings of its tokens; by itself it takes every
    token for a word. Two LSTMs of one direction make a layer, the second of which reads each row turned round: so what
    stands behind a row's end changes nothing, without packing, which is slower.

    Args:
        config: The sizes.
    """

    reads_words: ClassVar[bool] = True

    def __init__(self, config: BiLSTMConfig):
        super().__init__(config)
        self.embeddings: nn.Module = nn.Embedding(config.vocab_size, config.embedding_size)
        widths = [config.embedding_size, *[config.hidden_size] * (config.num_hidden_layers - 1)]
        half = config.hidden_size // 2
        self.forwards = nn.ModuleList(nn.LSTM(width, half, batch_first=True) for width in widths)
        self.backwards = nn.ModuleList(nn.LSTM(width, half, batch_first=True) for width in widths)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Give the embedding that reads tokens."""
        return self.embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding that reads tokens."""
        self.embeddings = value

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **_: Any,
    ) -> BaseModelOutput:
        """Read words.

        Args:
            input_ids: `(batch, time)` integers, when every token is a word.
            attention_mask: `(batch, time)`, 0 where there is padding, which stands at the end of a row; nothing is
                padding if left out.
            inputs_embeds: Instead of `input_ids`: the vectors of the words, `(batch, time, embedding)`.

        Returns:
            `last_hidden_state`: `(batch, time, hidden)`.
        """
        hidden = self.embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        places = torch.arange(hidden.shape[1], device=hidden.device).expand(hidden.shape[:2])
        lengths = len(places[0]) if attention_mask is None else attention_mask.sum(1, keepdim=True)
        turned = torch.where(places < lengths, lengths - 1 - places, places)[..., None]  # its own inverse
        if self.training and self.config.word_dropout_prob:
            hidden = hidden * torch.empty_like(hidden[..., :1]).bernoulli_(1 - self.config.word_dropout_prob)
        for right, left in zip(self.forwards, self.backwards):
            hidden = self.drop(hidden)
            back = left(hidden.gather(1, turned.expand_as(hidden)))[0]
            hidden = torch.cat([right(hidden)[0], back.gather(1, turned.expand_as(back))], dim=-1)
        return BaseModelOutput(last_hidden_state=hidden)

    def drop(self, vectors: Tensor) -> Tensor:
        """Drop some of the numbers, in training."""
        return dropped(vectors, self.config.hidden_dropout_prob) if self.training else vectors


AutoConfig.register(BiLSTMConfig.model_type, BiLSTMConfig)
AutoModel.register(BiLSTMConfig, BiLSTMModel)
