"""The networks of HyperOFA, as models of transformers: a BiLSTM, and a Transformer over sets."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput


class HypernetworkConfig(PreTrainedConfig):
    """The sizes of a hypernetwork.

    Args:
        network: bilstm or setformer.
        width: Numbers of a word vector.
        kept: Numbers of a coordinate.
        hidden_size: Of the LSTM in each direction, or inside the last layers of the set transformer.
        num_hidden_layers: Layers.
        num_attention_heads: Attention heads of the set transformer.
        activation: Inside the layers of the set transformer; gelu in folders that do not say it.
        dropout: Share of activations dropped in training.
        contrast: The share of the contrastive part in the loss.
        contrast_temperature: Of the contrastive part; transformers keeps `temperature` for generation.
        mapping_hash: The fingerprint of the mapping that it is trained on.
        split_seed: Of the split of its subwords.
        **rest: What every configuration has.
    """

    model_type = "ofa-hypernetwork"

    def __init__(
        self,
        *,
        network: str = "bilstm",
        width: int = 200,
        kept: int = 100,
        hidden_size: int = 800,
        num_hidden_layers: int = 2,
        num_attention_heads: int = 4,
        activation: str = "gelu",
        dropout: float = 0.4,
        contrast: float = 0.1,
        contrast_temperature: float = 0.5,
        mapping_hash: str = "",
        split_seed: int = 14,
        **rest: Any,
    ):
        self.network, self.width, self.kept = network, width, kept
        self.hidden_size, self.num_hidden_layers = hidden_size, num_hidden_layers
        self.num_attention_heads, self.dropout = num_attention_heads, dropout
        self.activation = activation
        self.contrast, self.contrast_temperature = contrast, contrast_temperature
        self.mapping_hash, self.split_seed = mapping_hash, split_seed
        super().__init__(**rest)


class BiLstm(nn.Module):
    """An LSTM in both directions over the words; its last states, then two layers.

    Args:
        config: The sizes.
    """

    def __init__(self, config: HypernetworkConfig):
        super().__init__()
        layers, dropout = config.num_hidden_layers, config.dropout
        self.lstm = nn.LSTM(
            config.width,
            config.hidden_size,
            layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if layers > 1 else 0.0,
        )
        self.head = nn.Sequential(
            nn.Linear(2 * config.hidden_size, 2 * config.kept),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * config.kept, config.kept),
        )

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """`(subwords, words, width)` and `(subwords, words)` to `(subwords, kept)`."""
        lengths = mask.sum(1).clamp_min(1).cpu()
        packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        _, (last, _) = self.lstm(packed)
        prediction: Tensor = self.head(torch.cat([last[-2], last[-1]], 1))
        return prediction


class SetFormer(nn.Module):
    """A Transformer encoder without positions over the words; the mean of its states, then two layers.

    Args:
        config: The sizes.
    """

    def __init__(self, config: HypernetworkConfig):
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            config.width,
            config.num_attention_heads,
            8 * config.width,
            config.dropout,
            activation=config.activation,
            batch_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, config.num_hidden_layers, enable_nested_tensor=False)
        self.head = nn.Sequential(
            nn.Linear(config.width, config.hidden_size),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden_size, config.kept),
        )

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """`(subwords, words, width)` and `(subwords, words)` to `(subwords, kept)`."""
        states = self.encoder(vectors, src_key_padding_mask=~mask) * mask[..., None]
        prediction: Tensor = self.head(states.sum(1) / mask.sum(1, keepdim=True).clamp_min(1))
        return prediction


class Hypernetwork(PreTrainedModel):
    """Predicts the coordinates of subwords (Özeren, Liu & Schütze, 2025, arXiv 2504.21018).

    Args:
        config: The sizes.
    """

    config_class = HypernetworkConfig
    base_model_prefix = "hypernetwork"
    contrasts_rows = True

    def __init__(self, config: HypernetworkConfig):
        super().__init__(config)
        self.network = {"bilstm": BiLstm, "setformer": SetFormer}[config.network](config)
        self.post_init()

    def get_input_embeddings(self) -> None:
        """Give nothing: it reads vectors."""

    def _init_weights(self, module: nn.Module) -> None:
        if callable(reset := getattr(module, "reset_parameters", None)):
            reset()
        elif isinstance(module, nn.MultiheadAttention):
            module._reset_parameters()

    def forward(self, vectors: Tensor, mask: Tensor, labels: Tensor | None = None) -> ModelOutput:
        """Predict coordinates.

        Args:
            vectors: `(subwords, words, width)`, of the words of each subword.
            mask: `(subwords, words)`, where there is a word.
            labels: `(subwords, kept)`, the coordinates they have.

        Returns:
            `prediction`, `(subwords, kept)`, and with labels `loss`.
        """
        prediction = self.network(vectors, mask)
        loss = None if labels is None else hyper_loss(prediction.float(), labels, self.config)
        return ModelOutput(loss=loss, prediction=prediction)


def hyper_loss(prediction: Tensor, labels: Tensor, config: HypernetworkConfig) -> Tensor:
    """Compute the loss of HyperOFA: a contrastive part and a relative distance.

    `contrast * InfoNCE + (1 - contrast) * |prediction - label|_1 / mean |label|`, where InfoNCE tells the label of each
    subword from those of the others by cosine over temperature (van den Oord et al., 2018, arXiv 1807.03748).

    Args:
        prediction: `(subwords, kept)`.
        labels: `(subwords, kept)`.
        config: Has `contrast` and `contrast_temperature`.

    Returns:
        A scalar.
    """
    cosines = functional.normalize(prediction, dim=1) @ functional.normalize(labels, dim=1).T
    own = torch.arange(len(labels), device=labels.device)
    contrastive = functional.cross_entropy(cosines / config.contrast_temperature, own)
    distance = (prediction - labels).abs().mean() / labels.abs().mean()
    return config.contrast * contrastive + (1 - config.contrast) * distance


AutoConfig.register(HypernetworkConfig.model_type, HypernetworkConfig)
AutoModel.register(HypernetworkConfig, Hypernetwork)
