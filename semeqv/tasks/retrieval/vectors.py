"""Sentences as vectors: the states of a model's layers, pooled over tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from semeqv.grammar.component import check_bounds
from semeqv.lazy import NDArray, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import check_tokenizer, most_tokens
from semeqv.text.tokenizers.encoding import encode, first_token, separator, surroundings
from semeqv.train.compute import ComputeConfig


@dataclass(frozen=True, kw_only=True)
class VectorOptions:
    """How the states of a layer become vectors of sentences.

    Args:
        pooling: The mean or the maximum over tokens, the first (cls) or the last.
        special: Let mean, maximum and last take special tokens too, as sentence-transformers do.
        max_length: The most tokens of a sentence; what is beyond is cut off.
        batch_size: Sentences at a time.
    """

    pooling: Literal["mean", "max", "cls", "last"] = "mean"
    special: bool = False
    max_length: int = 512
    batch_size: int = 64

    def __post_init__(self) -> None:
        check_bounds(self, max_length=3, batch_size=1)


VECTORS = VectorOptions()  # the usual ones


class SentenceEncoder:
    """Makes vectors of sentences.

    A tokenizer that adds special tokens adds them here; around a text whose tokenizer adds none stand those that data
    sets put there: the first token of a text and, for a model that predicts masked tokens, the separator.

    Args:
        model: Of any kind, within `inference`.
        tokenizer: Its tokenizer.
        regime: Where the model is.
        layers: Which layers: numbers from 0, the input embedding, `last` or `all`.
        pooling: mean, max, cls or last.
        special: Whether special tokens are pooled too.
        longest: The most tokens of a sentence.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        regime: ComputeConfig,
        *,
        layers: Sequence[str] = ("last",),
        pooling: str = "mean",
        special: bool = False,
        longest: int = 512,
    ):
        check_tokenizer(model, tokenizer)
        self.tokenizer, self.regime, self.pooling, self.special = tokenizer, regime, pooling, special
        self.model, self.body, self.wanted_layers = model, body_of(model), layers
        self.longest = min(longest, most_tokens(model) or longest)
        self.before, self.after = self.around(not getattr(model, "predicts_next", False))
        self.layers: list[int] = []
        self.cut = 0
        self.tokens: dict[str, float] = {}  # of a sentence, on average, by what was encoded

    @classmethod
    def of(
        cls, model: Any, tokenizer: Any, regime: ComputeConfig, layers: Sequence[str], vectors: VectorOptions
    ) -> SentenceEncoder:
        """Return the encoder that pools as the options say."""
        return cls(
            model,
            tokenizer,
            regime,
            layers=layers,
            pooling=vectors.pooling,
            special=vectors.special,
            longest=vectors.max_length,
        )

    def around(self, masked: bool) -> tuple[list[int], list[int]]:
        """Return the special tokens before and after a text."""
        before, after = surroundings(self.tokenizer)
        if before or after:
            return before, after
        return [first_token(self.tokenizer, masked)], [separator(self.tokenizer)] if masked else []

    def __call__(self, sentences: Sequence[str], rows: int = 64, what: str = "encode") -> torch.Tensor:
        """Encode sentences, those of like length together.

        Args:
            sentences: The sentences.
            rows: How many at a time.
            what: What the bar says.

        Returns:
            `(layers, sentences, width)`, float32 on the CPU; `layers` then says which they are.
        """
        tokens = encode(self.tokenizer, sentences)
        room = self.longest - len(self.before) - len(self.after)
        self.cut += sum(len(ids) > room for ids in tokens)
        self.tokens[what] = float(numpy.mean([len(ids) for ids in tokens]))
        order = sorted(range(len(tokens)), key=lambda i: -len(tokens[i]))
        pooled_states: torch.Tensor | None = None
        with Progress(total=len(tokens), desc=what, unit="sentence", leave=False, disable=None, mininterval=0.5) as bar:
            for start in range(0, len(order), rows):
                which = order[start : start + rows]
                pooled = self.pooled([[*self.before, *tokens[i][:room], *self.after] for i in which])
                if pooled_states is None:
                    pooled_states = torch.empty(len(pooled), len(tokens), pooled.shape[-1])
                pooled_states[:, which] = pooled
                bar.update(len(which))
        assert pooled_states is not None
        return pooled_states

    def pooled(self, rows: list[list[int]]) -> torch.Tensor:
        """Return the vectors of some rows of tokens, `(layers, rows, width)`."""
        lengths = numpy.array([len(row) for row in rows])
        real = numpy.arange(lengths.max()) < lengths[:, None]
        ids = numpy.zeros(real.shape, numpy.int64)
        ids[real] = numpy.concatenate(rows)
        inside = numpy.arange(real.shape[1]) >= len(self.before)
        taken = real & inside & (numpy.arange(real.shape[1]) < lengths[:, None] - len(self.after))
        if self.special:
            taken = real
        taken |= real & ~taken.any(1, keepdims=True)  # a text without any token of its own
        states = self.states(ids, real)
        return torch.stack([pool(states[layer].float(), taken, self.pooling) for layer in self.layers]).cpu()

    def states(self, ids: NDArray[numpy.int64], real: NDArray[numpy.bool_]) -> Sequence[torch.Tensor]:
        """Return the states of every layer, `(rows, time, width)` each.

        Args:
            ids: `(rows, time)`.
            real: `(rows, time)`, where they are no padding.

        Returns:
            The input embedding's, then those of each layer.

        Raises:
            UserError: When the model does not tell them, or has no such layer.
        """
        batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(real.astype(numpy.int64))}
        states = self.body(**self.regime.place(batch), output_hidden_states=True).get("hidden_states")
        if not states:
            raise UserError(f"{type(self.body).__name__} does not tell the states of its layers.")
        last = len(states) - 1
        self.layers = [*range(last + 1)] if "all" in self.wanted_layers else []
        self.layers = self.layers or [last if word == "last" else int(word) for word in self.wanted_layers]
        if max(self.layers) > last:
            raise UserError(f"--layer {max(self.layers)}: the model has layers 0 (the input embedding) to {last}.")
        layers: Sequence[torch.Tensor] = states
        return layers


def body_of(model: Any) -> Any:
    """Return what of a model reads text: its encoder, or all but its head."""
    if getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        return model.get_encoder()
    return getattr(model, "base_model", model)


def pool(states: torch.Tensor, taken: NDArray[numpy.bool_], how: str) -> torch.Tensor:
    """Make one vector of the states of each row.

    Args:
        states: `(rows, time, width)`.
        taken: `(rows, time)`, which tokens count, one of each row at least.
        how: mean, max, cls (the first token of the row) or last (the last that counts).

    Returns:
        `(rows, width)`.
    """
    if how == "cls":
        return states[:, 0]
    if how == "last":
        last = taken.shape[1] - 1 - taken[:, ::-1].argmax(1)
        return states[torch.arange(len(states), device=states.device), torch.from_numpy(last).to(states.device)]
    mask = torch.from_numpy(taken).to(states.device)[:, :, None]
    if how == "max":
        return states.masked_fill(~mask, -torch.inf).amax(1)
    return (states * mask).sum(1) / mask.sum(1)
