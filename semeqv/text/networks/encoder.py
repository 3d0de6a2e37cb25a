"""A plain Transformer encoder that predicts masked tokens, as a model of transformers.

The encoder normalises after each residual (Vaswani et al., 2017, arXiv 1706.03762). Logits are hidden states times the
output embeddings, without a bias, so that what stands between the input and the output embedding is layers alone.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, PreTrainedConfig, PreTrainedModel
from transformers.activations import ACT2FN
from transformers.modeling_outputs import BaseModelOutput, MaskedLMOutput

BASE = 10000.0  # how much slower the last pair of numbers turns than the first


def rotation(time: int, width: int, device: torch.device) -> Tensor:
    """The angles of each position, equation 15.

    Args:
        time: Tokens.
        width: Of a head, an even number.
        device: Where they are computed.

    Returns:
        Their cosines and their sines, `(2, time, width / 2)`.
    """
    speeds = BASE ** -(torch.arange(0, width, 2, device=device) / width)
    angles = torch.arange(time, device=device)[:, None] * speeds
    return torch.stack([angles.cos(), angles.sin()])


def rotated(vectors: Tensor, angles: Tensor) -> Tensor:
    """Turn queries or keys, so that their products depend on how far tokens are apart, equation 34.

    Args:
        vectors: `(batch, heads, time, width)`; each number of the first half makes a pair with one of the second.
        angles: As of `rotation`.

    Returns:
        Vectors of the same shape.
    """
    one, other = vectors.chunk(2, dim=-1)
    cosine, sine = angles.to(vectors.dtype)
    return torch.cat([one * cosine - other * sine, other * cosine + one * sine], dim=-1)


class EncoderConfig(PreTrainedConfig):
    """The sizes of an encoder, by the names that transformers uses.

    Args:
        vocab_size: Tokens.
        hidden_size: Width of the embeddings and of every layer.
        num_hidden_layers: Layers.
        num_attention_heads: Attention heads of each layer.
        intermediate_size: Width inside the feed-forward networks.
        max_position_embeddings: Tokens that it can read at once, when it has positions.
        positions: `none`, `learned` or `rotary`.
        hidden_act: Nonlinearity of the feed-forward networks.
        hidden_dropout_prob: Share of activations dropped in training.
        layer_norm_eps: What keeps the norms from dividing by zero.
        initializer_range: Standard deviation of the initial embeddings.
        sparse_prediction: Whether labels restrict the logits that are computed to those that they ask for.
        tie_word_embeddings: Whether the output embedding is the input embedding.
        **rest: What every configuration has.
    """

    model_type = "semeqv-encoder"

    def __init__(
        self,
        *,
        vocab_size: int = 30522,
        hidden_size: int = 128,
        num_hidden_layers: int = 3,
        num_attention_heads: int = 4,
        intermediate_size: int = 512,
        max_position_embeddings: int = 512,
        positions: str = "none",
        hidden_act: str = "gelu",
        hidden_dropout_prob: float = 0.0,
        layer_norm_eps: float = 1e-5,
        initializer_range: float = 0.3,
        sparse_prediction: bool = False,
        tie_word_embeddings: bool = True,
        **rest: Any,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.max_position_embeddings = max_position_embeddings
        self.positions = positions
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.layer_norm_eps = layer_norm_eps
        self.initializer_range = initializer_range
        self.sparse_prediction = sparse_prediction
        self.tie_word_embeddings = tie_word_embeddings
        super().__init__(**rest)


class OutputEmbedding(nn.Linear):
    """The matrix that predicts tokens, `(vocabulary, hidden)`, without a bias."""

    def __init__(self, config: EncoderConfig):
        super().__init__(config.hidden_size, config.vocab_size, bias=False)


class EncoderLayer(nn.Module):
    """Attention, then a feed-forward network, a norm after the residual of each.

    Args:
        config: The sizes.
    """

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.heads, self.dropout = config.num_attention_heads, config.hidden_dropout_prob
        self.attention_in = nn.Linear(config.hidden_size, 3 * config.hidden_size)  # queries, keys, values
        self.attention_out = nn.Linear(config.hidden_size, config.hidden_size)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feedforward_in = nn.Linear(config.hidden_size, config.intermediate_size)
        self.feedforward_out = nn.Linear(config.intermediate_size, config.hidden_size)
        self.feedforward_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.activation = ACT2FN[config.hidden_act]

    def forward(self, hidden: Tensor, seen: Tensor | None, angles: Tensor | None) -> Tensor:
        """Read `(batch, time, hidden)`; `seen`, `(batch, 1, 1, time)`, is true where there is a token to attend to, and
        `angles` are those of rotary positions.
        """
        attended = self.attention_norm(hidden + self.drop(self.attend(hidden, seen, angles)))
        inner = self.drop(self.activation(self.feedforward_in(attended)))
        written: Tensor = self.feedforward_norm(attended + self.drop(self.feedforward_out(inner)))
        return written

    def attend(self, hidden: Tensor, seen: Tensor | None, angles: Tensor | None) -> Tensor:
        """Mix `(batch, time, hidden)` over the tokens that are seen."""
        split = self.attention_in(hidden).unflatten(-1, (3, self.heads, -1))  # (batch, time, 3, heads, width)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each (batch, heads, time, width)
        if angles is not None:
            query, key = rotated(query, angles), rotated(key, angles)
        dropout = self.dropout if self.training else 0.0
        plain = query.dtype == torch.bfloat16 and query.device.type == "cpu"
        mix = attend_by_products if plain else functional.scaled_dot_product_attention
        mixed = mix(query, key, value, attn_mask=seen, dropout_p=dropout)
        written: Tensor = self.attention_out(mixed.transpose(1, 2).flatten(2))
        return written

    def drop(self, hidden: Tensor) -> Tensor:
        """Drop some activations, in training."""
        return functional.dropout(hidden, self.dropout, self.training)


def attend_by_products(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, dropout_p: float) -> Tensor:
    """What `scaled_dot_product_attention` computes, which in bf16 on a CPU takes three to four times as long for it.

    Args:
        query: `(batch, heads, time, width)`.
        key: Of the same shape.
        value: Of the same shape.
        attn_mask: `(batch, 1, 1, time)`, true where there is a token to attend to; None for everywhere.
        dropout_p: Share of the weights that is dropped.

    Returns:
        `(batch, heads, time, width)`.
    """
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)  # (batch, heads, time, time)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    return functional.dropout(scores.softmax(-1).to(value.dtype), dropout_p) @ value


class EncoderPreTrainedModel(PreTrainedModel):
    """What the encoder with and without its head have in common."""

    config_class = EncoderConfig
    base_model_prefix = "encoder"
    _no_split_modules: ClassVar[list[str]] = ["EncoderLayer"]

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        # transformers leaves alone what was loaded: it guards these functions while it calls this method.
        if isinstance(module, nn.Embedding | OutputEmbedding):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


class EncoderModel(EncoderPreTrainedModel):
    """The encoder without a head.

    Args:
        config: The sizes.
    """

    def __init__(self, config: EncoderConfig):
        super().__init__(config)
        self.embeddings: nn.Module = nn.Embedding(config.vocab_size, config.hidden_size)
        learned = config.positions == "learned"
        self.positions = nn.Embedding(config.max_position_embeddings, config.hidden_size) if learned else None
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_hidden_layers))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Give the embedding that reads tokens."""
        return self.embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding that reads tokens."""
        self.embeddings = value

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        output_hidden_states: bool = False,
        **_: Any,
    ) -> BaseModelOutput:
        """Read tokens.

        Args:
            input_ids: `(batch, time)` integers.
            attention_mask: `(batch, time)`, 0 where there is padding; nothing is padding if left out.
            output_hidden_states: Whether to return what every layer reads and the last one writes.

        Returns:
            `last_hidden_state`: `(batch, time, hidden)`; `hidden_states`, when asked for: one such tensor for each.
        """
        hidden = self.embeddings(input_ids)
        if self.positions is not None:
            hidden = hidden + self.positions(torch.arange(input_ids.shape[1], device=input_ids.device))
        hidden = functional.dropout(hidden, self.config.hidden_dropout_prob, self.training)
        seen = None if attention_mask is None else attention_mask[:, None, None, :].bool()
        width = self.config.hidden_size // self.config.num_attention_heads
        rotary = self.config.positions == "rotary"
        angles = rotation(input_ids.shape[1], width, input_ids.device) if rotary else None
        every = [hidden]
        for layer in self.layers:
            hidden = layer(hidden, seen, angles)
            if output_hidden_states:
                every.append(hidden)
        return BaseModelOutput(last_hidden_state=hidden, hidden_states=tuple(every) if output_hidden_states else None)


class EncoderForMaskedLM(EncoderPreTrainedModel):
    """The encoder with an output embedding that predicts masked tokens.

    Args:
        config: The sizes.
    """

    _tied_weights_keys: ClassVar[dict[str, str]] = {"output_embedding.weight": "encoder.embeddings.weight"}

    def __init__(self, config: EncoderConfig):
        super().__init__(config)
        self.encoder = EncoderModel(config)
        self.output_embedding: nn.Module = OutputEmbedding(config)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        """Give the embedding that predicts tokens."""
        return self.output_embedding

    def set_output_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding that predicts tokens."""
        self.output_embedding = value

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None, **_: Any
    ) -> MaskedLMOutput:
        """Predict masked tokens.

        Args:
            input_ids: `(batch, time)` integers.
            attention_mask: `(batch, time)`, 0 where there is padding; nothing is padding if left out.
            labels: `(batch, time)` integers, -100 where nothing is to be predicted.

        Returns:
            `loss` when there are labels: cross-entropy in nats, 0 when none of them asks. `logits`:
            `(batch, time, vocabulary)`; left out when there are labels and the prediction is sparse.
        """
        hidden = self.encoder(input_ids, attention_mask).last_hidden_state
        if labels is None:
            return MaskedLMOutput(logits=self.output_embedding(hidden))
        asked = labels != -100
        sparse = self.config.sparse_prediction
        logits = self.output_embedding(hidden[asked] if sparse else hidden)
        total = functional.cross_entropy(
            (logits if sparse else logits[asked]).float(), labels[asked].long(), reduction="sum"
        )
        return MaskedLMOutput(loss=total / asked.sum().clamp(min=1), logits=None if sparse else logits)


AutoConfig.register(EncoderConfig.model_type, EncoderConfig)
AutoModel.register(EncoderConfig, EncoderModel)
AutoModelForMaskedLM.register(EncoderConfig, EncoderForMaskedLM)
