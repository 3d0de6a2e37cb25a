"""BERT."""

from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.text.models.architectures import Sized, special_tokens


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
        from transformers import BertForMaskedLM

        return self.begun(BertForMaskedLM(self.configuration(tokenizer, dataset)), tokenizer)

    def configuration(self, tokenizer: Any = None, dataset: Any = None) -> Any:
        """Its sizes, as transformers has them.

        Args:
            tokenizer: As of `build`.
            dataset: As of `build`.

        Returns:
            A `BertConfig`.
        """
        from transformers import BertConfig

        self.check()
        return BertConfig(
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
