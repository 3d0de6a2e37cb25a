"""GPT-2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.text.models.architectures import special_tokens
from semeqv.text.models.presets import GPT2_SIZES, Preset


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
        from transformers import GPT2Config, GPT2LMHeadModel

        from semeqv.text.chunked import chunked

        self.check()
        config = GPT2Config(vocab_size=self.vocabulary(tokenizer, dataset), **self.trunk(), **special_tokens(tokenizer))
        return chunked(self.begun(GPT2LMHeadModel(config), tokenizer), self.loss_chunk)
