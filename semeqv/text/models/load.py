"""Models that are there already."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import check_bounds, component
from semeqv.text.models.opening import check_rows, has_tokenizer, open_model, open_tokenizer
from semeqv.text.models.source import config_folder, positions_of, read_config


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A model opened from where it is.

    Args:
        source: A run folder (its best checkpoint, else the last), a checkpoint, a Hugging Face folder, or a name on the
            hub (owner/model, or owner/model@revision). Weights are safetensors, and no code that comes with a model is
            run.
        tie: Whether the output embedding is the input embedding; `saved` leaves it as it is. Untied, the two start
            from the same values.
        loss_chunk: Compute the model's own loss for so many positions at a time, so that the logits of a batch are
            never all there; for all at once if left out. It saves memory, not time.
        dtype: Numbers that the weights are kept in; `saved` keeps those of the file. Training wants float32.
    """

    auto: ClassVar[str | None] = None

    source: str | None = field(default=None, metadata={"alias": "from"})
    tie: bool | Literal["saved"] = "saved"
    loss_chunk: int | None = None
    dtype: Literal["float32", "bfloat16", "saved"] = "float32"

    def __post_init__(self) -> None:
        check_bounds(self, loss_chunk=1)

    @property
    def objective(self) -> str:
        """What the model is for: causal or masked."""
        named = read_config(config_folder(self.source)).get("architectures") or []
        masked = self.auto == "AutoModelForMaskedLM" if self.auto else any("MaskedLM" in str(name) for name in named)
        return "masked" if masked else "causal"

    def most_tokens(self) -> int | None:
        """The most tokens that the model reads at once; None when there is no limit, or nobody said."""
        return positions_of(read_config(config_folder(self.source)))

    def provide_tokenizer(self) -> Any:
        """The tokenizer of the model's folder, for a sentence that says none; None when it has none."""
        return open_tokenizer(self.source) if has_tokenizer(self.source) else None

    def build(self, tokenizer: Any = None) -> Any:
        """The model.

        Args:
            tokenizer: Of the run, if it has one.

        Returns:
            A `PreTrainedModel`; `UserError` when it cannot be opened, or the tokenizer has more tokens than the model.
        """
        from semeqv.text.chunked import chunked

        tie = None if self.tie == "saved" else self.tie
        model = open_model(self.source, self.auto, dtype="auto" if self.dtype == "saved" else self.dtype, tie=tie)
        if tokenizer is not None:
            check_rows(model, tokenizer, self.source)
        return chunked(model, self.loss_chunk)


@component("model load")
@dataclass(frozen=True, kw_only=True)
class Load(Loaded):
    """Any model, as what it was saved: the architecture that its configuration names."""


@component("model causal-lm")
@dataclass(frozen=True, kw_only=True)
class CausalLM(Loaded):
    """A model that predicts the next token, from its folder or the hub."""

    auto: ClassVar[str | None] = "AutoModelForCausalLM"


@component("model masked-lm")
@dataclass(frozen=True, kw_only=True)
class MaskedLM(Loaded):
    """A model that predicts masked tokens, from its folder or the hub."""

    auto: ClassVar[str | None] = "AutoModelForMaskedLM"
