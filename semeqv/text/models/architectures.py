"""What the options of all language models built from sizes have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import transformers
from semeqv.runs.errors import UserError
from semeqv.text.models.opening import ready
from semeqv.text.models.starting import start_from
from semeqv.text.tokenizers.files import fit_to_model, start_as_trained
from semeqv.text.tokenizers.spelling import rows_needed

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
        if self.tie == "both":
            raise UserError("--tie both is for the command line; a single model is tied or not.")
        if self.activation not in transformers.activations.ACT2FN:
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


@component("model gpt2")
@dataclass(frozen=True, kw_only=True)
class GPT2(Preset):
    """GPT-2 (Radford et al., 2019), which predicts the next token. The sizes are those of its smallest model.

    It is the `GPT2LMHeadModel` of transformers, whose `from_pretrained` opens what a run saves.
    """

    word: ClassVar[str] = "gpt2"
    objective: ClassVar[str] = "causal"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = GPT2_SIZES

    preset: Literal["gpt2", "paper-micro", "paper-mini", "paper-small", "multilingual-mini", "multilingual-small"] = (
        "gpt2"
    )

    def build(self, tokenizer: Any = None, dataset: Any = None) -> Any:
        """The model.

        Args:
            tokenizer: Tells the vocabulary and its special tokens.
            dataset: Tells the vocabulary when there is no tokenizer.

        Returns:
            A `GPT2LMHeadModel`, its weights drawn anew.
        """
        from semeqv.text.chunked import chunked

        self.check()
        config = transformers.GPT2Config(
            vocab_size=self.vocabulary(tokenizer, dataset), **self.trunk(), **special_tokens(tokenizer)
        )
        return chunked(self.begun(transformers.GPT2LMHeadModel(config), tokenizer), self.loss_chunk)


@component("model bert")
@dataclass(frozen=True, kw_only=True)
class BERT(Sized):
    """BERT (Devlin et al., 2019, arXiv 1810.04805), which predicts masked tokens.

    The sizes are those of its base model. It is the `BertForMaskedLM` of transformers, whose heads for other tasks
    open what a run saves.
    """

    word: ClassVar[str] = "bert"
    objective: ClassVar[str] = "masked"

    def build(self, tokenizer: Any = None, dataset: Any = None) -> Any:
        """The model.

        Args:
            tokenizer: Tells the vocabulary and its special tokens.
            dataset: Tells the vocabulary when there is no tokenizer.

        Returns:
            A `BertForMaskedLM`, its weights drawn anew.
        """
        return self.begun(transformers.BertForMaskedLM(self.configuration(tokenizer, dataset)), tokenizer)

    def configuration(self, tokenizer: Any = None, dataset: Any = None) -> Any:
        """Its sizes, as transformers has them.

        Args:
            tokenizer: As of `build`.
            dataset: As of `build`.

        Returns:
            A `BertConfig`.
        """
        self.check()
        return transformers.BertConfig(
            vocab_size=self.vocabulary(tokenizer, dataset),
            hidden_size=self.embedding_size,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            intermediate_size=self.inner_size,
            max_position_embeddings=self.block_size,
            hidden_act=self.activation,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
            initializer_range=self.initializer_range,
            tie_word_embeddings=self.tied,
            **special_tokens(tokenizer),
        )


@component("model encoder")
@dataclass(frozen=True, kw_only=True)
class Encoder(Sized):
    """A plain Transformer encoder (Vaswani et al., 2017, arXiv 1706.03762) that predicts masked tokens.

    Nothing stands between the two embeddings but its layers (post-LN): no norm or token types after the input
    embedding, no transform or bias at the output embedding, and no positions unless asked for. The defaults are those
    of the tied-embedding study. To train an encoder for other tasks, take `cli model bert`.

    Args:
        block_size: Tokens that it can read at once, when it has positions; without them there is no limit.
        positions: Whether it adds a learned embedding of each position, turns queries and keys by the position (Su et
            al., 2024, arXiv 2104.09864), which learns sooner what depends on the order of words, or knows no order.
        initializer_range: Standard deviation of both initial embeddings; the layers start as Glorot & Bengio (2010)
            propose.
        sparse_prediction: Compute logits only where a label asks for one: a step on 10,000 tokens takes less than half
            the time. A batch with labels then has only the model's own loss: leave out `cli loss`.
    """

    word: ClassVar[str] = "encoder"
    objective: ClassVar[str] = "masked"

    layers: int = 3
    heads: int = 4
    embedding_size: int = 128
    dropout: float = 0.0
    initializer_range: float = 0.3
    positions: Literal["none", "learned", "rotary"] = "none"
    sparse_prediction: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.positions == "rotary" and self.embedding_size // self.heads % 2:
            raise ValueError(
                f"--positions rotary needs heads of an even width, not {self.embedding_size // self.heads}."
            )

    @property
    def most_tokens(self) -> int | None:
        """How many tokens it reads at once; None without positions."""
        return None if self.positions == "none" else self.block_size

    def build(self, tokenizer: Any = None, dataset: Any = None) -> Any:
        """The model.

        Args:
            tokenizer: Tells the vocabulary and its special tokens.
            dataset: Tells the vocabulary when there is no tokenizer.

        Returns:
            An `EncoderForMaskedLM`, its weights drawn anew.
        """
        from semeqv.text.networks.encoder import EncoderConfig, EncoderForMaskedLM

        self.check()
        config = EncoderConfig(
            vocab_size=self.vocabulary(tokenizer, dataset),
            hidden_size=self.embedding_size,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            intermediate_size=self.inner_size,
            max_position_embeddings=self.block_size,
            positions=self.positions,
            hidden_act=self.activation,
            hidden_dropout_prob=self.dropout,
            initializer_range=self.initializer_range,
            sparse_prediction=self.sparse_prediction,
            tie_word_embeddings=self.tied,
            **special_tokens(tokenizer),
        )
        return self.begun(EncoderForMaskedLM(config), tokenizer)
