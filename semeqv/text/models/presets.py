"""Sizes by the name of the paper whose models have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.text.models.architectures import Sized

UNSAID: Any = None  # an option that the preset decides
PAPER = {"block_size": 512, "scale_attn_by_inverse_layer_idx": True}
MULTILINGUAL = {"block_size": 256, "scale_attn_by_inverse_layer_idx": False}

GPT2_SIZES: dict[str, dict[str, Any]] = {
    "gpt2": {
        "layers": 12,
        "heads": 12,
        "embedding_size": 768,
        "block_size": 1024,
        "scale_attn_by_inverse_layer_idx": False,
    },
    "paper-micro": {"layers": 6, "heads": 6, "embedding_size": 384, **PAPER},
    "paper-mini": {"layers": 8, "heads": 8, "embedding_size": 640, **PAPER},
    "paper-small": {"layers": 12, "heads": 12, "embedding_size": 768, **PAPER},
    "multilingual-mini": {"layers": 6, "heads": 6, "embedding_size": 384, **MULTILINGUAL},
    "multilingual-small": {"layers": 12, "heads": 12, "embedding_size": 768, **MULTILINGUAL},
}


@dataclass(frozen=True, kw_only=True)
class Preset(Sized):
    """A model whose sizes may be those of a published one.

    Args:
        preset: Whose sizes and variant to take for what is left out. `paper-...` are models of the Backpack paper
            (Hewitt et al., 2023, arXiv 2305.16765), `multilingual-...` those of the French-English project.
        layers: Transformer layers; those of the preset if left out.
        heads: Attention heads of each layer; those of the preset if left out.
        embedding_size: Width of the embeddings and of every layer; that of the preset if left out.
        block_size: Tokens that it can read at once; those of the preset if left out.
        scale_attn_by_inverse_layer_idx: Whether layer i divides its attention scores by i, too; as in the preset if
            left out.
        loss_chunk: Compute the model's own loss for so many positions at a time, so that the logits of a batch are
            never all there; for all at once if left out. It saves memory, not time.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]]

    preset: str = UNSAID
    layers: int = UNSAID
    heads: int = UNSAID
    embedding_size: int = UNSAID
    block_size: int = UNSAID
    scale_attn_by_inverse_layer_idx: bool = UNSAID
    activation: str = "gelu_pytorch_tanh"  # the same function as `gelu_new`, in one kernel
    loss_chunk: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.presets[self.preset].items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        super().__post_init__()

    def trunk(self) -> dict[str, Any]:
        """What `GPT2Config` calls the sizes of a model, but for its vocabulary."""
        return {
            "n_positions": self.block_size,
            "n_embd": self.embedding_size,
            "n_layer": self.layers,
            "n_head": self.heads,
            "n_inner": self.inner_size,
            "activation_function": self.activation,
            "resid_pdrop": self.dropout,
            "embd_pdrop": self.dropout,
            "attn_pdrop": self.dropout,
            "initializer_range": self.initializer_range,
            "scale_attn_by_inverse_layer_idx": self.scale_attn_by_inverse_layer_idx,
            "tie_word_embeddings": self.tied,
        }
