"""The Backpack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.text.models.architectures import GPT2_SIZES, UNSAID, Preset, special_tokens

CHUNK = 512
PAPER = {
    "senses": 16,
    "sense_network": "paper",
    "sense_layout": "sense-major",
    "scale_contextualization": True,
    "contextualization_bias": True,
}
MULTILINGUAL = {
    "senses": 16,
    "sense_network": "multilingual",
    "sense_layout": "feature-major",
    "scale_contextualization": False,
    "contextualization_bias": False,
}


def sizes(name: str) -> dict[str, Any]:
    """Derive a preset from that of the control: the multilingual ones have a layer less in their trunk."""
    control = GPT2_SIZES[name]
    if name.startswith("multilingual"):
        return control | MULTILINGUAL | {"layers": control["layers"] - 1}
    return control | PAPER


@component("model backpack")
@dataclass(frozen=True, kw_only=True)
class Backpack(Preset):
    """A Backpack language model (Hewitt et al., 2023, arXiv 2305.16765), which predicts the next token.

    What it predicts is read off a weighted sum of the senses of the tokens before; its trunk, which is the model of
    `cli model gpt2` with the same options, presets and defaults, computes the weights. `import backpack` lets
    `from_pretrained` open what a run saves.

    Args:
        preset: Whose sizes and variant to take for what is left out. `paper-...` are models of the Backpack paper,
            `multilingual-...` those of the French-English project, with one layer less than their control; `gpt2` has
            the senses of the paper over the smallest GPT-2.
        senses: Senses of each token; as in the preset if left out, like the next four.
        sense_network: From an embedding to its senses: that of the paper, or of the multilingual project.
        sense_layout: Order of the features that the sense network writes; it matters for weights from elsewhere.
        scale_contextualization: Whether scores of sense weights are divided by the square root of their width.
        contextualization_bias: Whether queries and keys of sense weights have a bias.
        sense_scale: What the sum over senses is multiplied by; 1 / senses makes it their mean, as in Levanter.
        loss_chunk: Compute the model's own loss for so many positions at a time, so that the logits of a batch are
            never all there; 512 if left out, and all at once for a `cli loss`, which wants logits.
    """

    word: ClassVar[str] = "backpack"
    objective: ClassVar[str] = "causal"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {name: sizes(name) for name in GPT2_SIZES}

    preset: Literal["gpt2", "paper-micro", "paper-mini", "paper-small", "multilingual-mini", "multilingual-small"] = (
        "gpt2"
    )
    senses: int = UNSAID
    sense_network: Literal["paper", "multilingual"] = UNSAID
    sense_layout: Literal["sense-major", "feature-major"] = UNSAID
    scale_contextualization: bool = UNSAID
    contextualization_bias: bool = UNSAID
    sense_scale: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.embedding_size % self.senses:
            raise ValueError(f"--senses {self.senses} must divide --embedding_size {self.embedding_size}.")
        if not self.sense_scale > 0:
            raise ValueError(f"--sense_scale must be above 0, not {self.sense_scale}.")

    def build(self, tokenizer: Any = None, dataset: Any = None, loss_options: Any = None) -> Any:
        """Build the model.

        Args:
            tokenizer: Has the vocabulary and its special tokens.
            dataset: Has the vocabulary when there is no tokenizer.
            loss_options: The options of `cli loss`; the model's own loss is used without.

        Returns:
            A `BackpackLMHeadModel`, its weights drawn anew.
        """
        from backpack.networks import BackpackConfig, BackpackLMHeadModel
        from semeqv.text.chunked import chunked

        self.check()
        config = BackpackConfig(
            vocab_size=self.vocabulary(tokenizer, dataset),
            num_senses=self.senses,
            sense_network=self.sense_network,
            sense_layout=self.sense_layout,
            scale_contextualization=self.scale_contextualization,
            contextualization_bias=self.contextualization_bias,
            sense_scale=self.sense_scale,
            **self.trunk(),
            **special_tokens(tokenizer),
        )
        default = CHUNK if loss_options is None else None
        return chunked(self.begun(BackpackLMHeadModel(config), tokenizer), self.loss_chunk or default)
