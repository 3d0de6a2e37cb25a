"""The plain Transformer encoder."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.text.models.architectures import Sized, special_tokens


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
