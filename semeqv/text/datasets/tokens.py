"""Text that is tokens already."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.text.datasets.monolingual import SingleFile


@component("dataset tokens")
@dataclass(frozen=True, kw_only=True)
class TokenCorpus(SingleFile):
    """Tokens as nanoGPT writes them, numbers one after the other (`train.bin`), for the tokenizer that made them.

    Name that tokenizer: `cli tokenizer load --from gpt2`. Documents end with its token for the end of a text.

    Args:
        bits: Of each number: 16 or 32.
    """

    knows_text: ClassVar[bool] = False

    bits: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bits not in (16, 32):
            raise ValueError(f"--bits are 16 or 32, not {self.bits}.")
        if self.holdout or self.documents or self.joined:
            raise ValueError("--holdout, --documents and --joined are for text; these are tokens already.")

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Refuse: there is no text. Raises `UserError`."""
        raise UserError(f"{self.path} holds tokens, not text; name the text itself for what reads text.")

    def build(
        self,
        tokenizer: Any,
        model_options: Any = None,
        dataset_options: Mapping[tuple[str, str | None], Any] | None = None,
    ) -> Any:
        """The data, read from the file as it is.

        Args:
            tokenizer: The tokenizer that made the tokens.
            model_options: Its `objective` is what the model is for.
            dataset_options: The data sets of the sentence; one that is held out is another file than the training set.

        Returns:
            Batches of `input_ids`, `labels` and, where rows are padded, `attention_mask`.
        """
        from semeqv.text.datasets.tokenised import batches_of_tokens

        self.check_held_out(dataset_options)
        return batches_of_tokens(self, tokenizer, self.objective or str(getattr(model_options, "objective", "causal")))
