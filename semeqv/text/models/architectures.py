"""What the options of all language models built from sizes have in common."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from semeqv.grammar.component import check_bounds
from semeqv.runs.errors import UserError

MOST, MOST_LAYERS = 2**31 - 1, 10_000  # beyond, no machine has an end in sight


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A Transformer language model with weights drawn anew.

    Args:
        layers: Transformer layers.
        heads: Attention heads of each layer; they divide the embedding size among them.
        embedding_size: Width of the embeddings and of every layer.
        feedforward_size: Width inside the feed-forward networks; four times the embedding size if left out.
        block_size: Tokens that it can read at once.
        activation: Nonlinearity of the feed-forward networks, by its name in transformers.
        dropout: Share of activations dropped in training.
        initializer_range: Standard deviation of the initial weights.
        vocab_size: Tokens that it knows; taken from the tokenizer (else from the data) if left out.
        embeddings: A model's folder, or its name on the hub: tokens that are there, too, start from their input
            embeddings, brought to `initializer_range`; the others start at random. `cli ofa bag` makes one of vectors.
        tie: Whether the output embedding is the input embedding; `both` trains the two models side by side.
    """

    word: ClassVar[str]
    objective: ClassVar[str]  # what data sets are to ask of it

    layers: int = 12
    heads: int = 12
    embedding_size: int = 768
    feedforward_size: int | None = None
    block_size: int = 512
    activation: str = "gelu"
    dropout: float = 0.1
    initializer_range: float = 0.02
    vocab_size: int | None = None
    embeddings: str | None = None
    tie: bool | Literal["both"] = True

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and not isinstance(value, bool):
                check_bounds(self, **{field.name: (1, MOST_LAYERS if field.name == "layers" else MOST)})
        if self.embedding_size % self.heads:
            raise ValueError(f"--heads {self.heads} must divide --embedding_size {self.embedding_size}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"--dropout must be from 0 to below 1, not {self.dropout}.")
        if not self.initializer_range > 0:
            raise ValueError(f"--initializer_range must be above 0, not {self.initializer_range}.")

    @property
    def name(self) -> str:
        """The name of the model's runs: `wt` (weight tying) at the end when it is tied."""
        return f"{self.word}{'wt' if self.tied else ''}"

    @property
    def inner_size(self) -> int:
        """The width inside the feed-forward networks."""
        return self.feedforward_size or 4 * self.embedding_size

    @property
    def tied(self) -> bool:
        """Whether a single model is tied."""
        return self.tie is True

    def variants(self) -> list[Self]:
        """The models that the options ask for: one, or the untied and the tied one."""
        return [dataclasses.replace(self, tie=tie) for tie in (False, True)] if self.tie == "both" else [self]

    def check(self) -> None:
        """Refuse what only a command line can ask for, or what transformers does not know.

        Raises:
            UserError: When `tie` is `both`, or the activation is unknown.
        """
        from transformers.activations import ACT2FN

        if self.tie == "both":
            raise UserError("--tie both is for the command line; a single model is tied or not.")
        if self.activation not in ACT2FN:
            raise UserError(f"--activation {self.activation} is not known; write gelu, gelu_new, relu, silu, tanh, ...")

    def begun(self, model: Any, tokenizer: Any = None) -> Any:
        """A model of these sizes, ready to be trained.

        Args:
            model: Its weights drawn anew.
            tokenizer: Its own, which tells the tokens that start from other embeddings.

        Returns:
            The same model, and the tokenizer says what other programs need to know of it. `UserError` is raised by
            `start_from` when it cannot start from the embeddings said.
        """
        from semeqv.text.models.opening import ready
        from semeqv.text.models.starting import start_from
        from semeqv.text.tokenizers.saving import fit_to_model, start_as_trained

        if self.embeddings is not None:
            start_from(model, self.embeddings, tokenizer, self.initializer_range)
        fit_to_model(tokenizer, self.most_tokens)
        if self.objective == "causal" and tokenizer is not None:
            start_as_trained(tokenizer)
            model.config.bos_token_id = tokenizer.bos_token_id
            model.generation_config.bos_token_id = tokenizer.bos_token_id
        return ready(model)

    @property
    def most_tokens(self) -> int | None:
        """How many tokens it reads at once; None where there is no limit."""
        return self.block_size

    def vocabulary(self, tokenizer: Any = None, dataset: Any = None) -> int:
        """How many tokens the model knows.

        Args:
            tokenizer: Its largest id counts.
            dataset: A data set, or several by (split, name), of which the first is asked for its `vocabulary_size`.

        Returns:
            The number, also the rows of the embeddings.

        Raises:
            UserError: When another number was said, or none is known.
        """
        from semeqv.text.tokenizers.spelling import rows_needed

        data = next(iter(dataset.values()), None) if isinstance(dataset, dict) else dataset
        known, whose = rows_needed(tokenizer) if tokenizer is not None else None, "tokenizer"
        if known is None:
            known, whose = getattr(data, "vocabulary_size", None), "data"
        if self.vocab_size is not None and known is not None and self.vocab_size != known:
            raise UserError(
                f"--vocab_size {self.vocab_size} does not fit the {whose}, which has {known} tokens; leave it out."
            )
        found = known if known is not None else self.vocab_size
        if found is None:
            raise UserError("The size of the vocabulary is not known. Add: cli tokenizer ..., or say --vocab_size.")
        return int(found)


def special_tokens(tokenizer: Any) -> dict[str, Any]:
    """The ids of a tokenizer's special tokens by their names in a configuration, None for what it has not."""
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    return {name: getattr(tokenizer, name, None) for name in names}
