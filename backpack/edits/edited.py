"""A Backpack with edits, as a model of a sentence."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.text.models.load import Loaded


@component("model edited")
@dataclass(frozen=True, kw_only=True)
class Edited(Loaded):
    """A Backpack with edits of its senses, for any action: `cli perplexity`, `cli generate`, `cli backpack senses`.

    Edits are applied file after file, each to what the ones before it leave. They stand beside the weights, which are
    not changed: a checkpoint that is saved has none of them, and opening the model without --edits gives the original.

    Args:
        edits: Files that `cli backpack edit` wrote, for a model of the same vocabulary and number of senses.
    """

    auto: ClassVar[str | None] = "AutoModelForCausalLM"

    edits: tuple[Path, ...]

    def build(self, tokenizer: Any = None) -> Any:
        """The model, edited.

        Args:
            tokenizer: Of the run; else that of the model's folder, if it has one.

        Returns:
            A `BackpackLMHeadModel`.

        Raises:
            UserError: When it is no Backpack, or an edit does not fit it.
        """
        from backpack.edits.applying import Applied
        from backpack.edits.files import open_edits
        from backpack.networks import BackpackLMHeadModel

        model = super().build(tokenizer)
        if not isinstance(model, BackpackLMHeadModel):
            raise UserError(f"{self.source} is a {type(model).__name__}, not a Backpack: it has no senses to edit.")
        known = self.provide_tokenizer() if tokenizer is None else tokenizer
        Applied(model, open_edits(self.edits, model, known))
        model.called = " + ".join([str(self.source), *(path.name for path in self.edits)])
        return model
