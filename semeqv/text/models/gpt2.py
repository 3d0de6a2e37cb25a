"""GPT-2."""

from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.engine.component import component
from semeqv.text.models.options import Sized, special_tokens


@component("model gpt2")
@dataclass(frozen=True, kw_only=True)
class GPT2(Sized):
    """GPT-2 (Radford et al., 2019), which predicts the next token. The sizes are those of its smallest model.

    It is the `GPT2LMHeadModel` of transformers, whose `from_pretrained` opens what a run saves.

    Args:
        loss_chunk: Compute the model's own loss for so many positions at a time, so that the logits of a batch are
            never all there; for all at once if left out. It saves memory, not time.
    """

    word: ClassVar[str] = "gpt2"
    objective: ClassVar[str] = "causal"

    block_size: int = 1024
    activation: str = "gelu_pytorch_tanh"  # the same function as its `gelu_new`, in one kernel
    loss_chunk: int | None = None

    def build(self, tokenizer: Any = None, dataset: Any = None) -> Any:
        """The model.

        Args:
            tokenizer: Tells the vocabulary and its special tokens.
            dataset: Tells the vocabulary when there is no tokenizer.

        Returns:
            A `GPT2LMHeadModel`, its weights drawn anew.
        """
        from transformers import GPT2Config, GPT2LMHeadModel

        from semeqv.text.chunked import chunked
        from semeqv.text.models.opening import ready

        self.check()
        config = GPT2Config(
            vocab_size=self.vocabulary(tokenizer, dataset),
            n_positions=self.block_size,
            n_embd=self.embedding_size,
            n_layer=self.layers,
            n_head=self.heads,
            n_inner=self.inner_size,
            activation_function=self.activation,
            resid_pdrop=self.dropout,
            embd_pdrop=self.dropout,
            attn_pdrop=self.dropout,
            initializer_range=self.initializer_range,
            tie_word_embeddings=self.tied,
            **special_tokens(tokenizer),
        )
        return chunked(ready(GPT2LMHeadModel(config)), self.loss_chunk)
