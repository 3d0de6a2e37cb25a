"""A Backpack with edits, as a model of a sentence."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from backpack.edits.files import open_edits
from backpack.edits.steps import Step
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
        from backpack.networks import BackpackLMHeadModel

        model = super().build(tokenizer)
        if not isinstance(model, BackpackLMHeadModel):
            raise UserError(f"{self.source} is a {type(model).__name__}, not a Backpack: it has no senses to edit.")
        known = self.provide_tokenizer() if tokenizer is None else tokenizer
        Applied(model, open_edits(self.edits, model, known))
        model.called = " + ".join([str(self.source), *(path.name for path in self.edits)])
        return model


class Applied:
    """Edits that a model has.

    They are functions beside its weights, in the order in which they were applied: each is computed on what the ones
    before it leave, and reverting takes them away, so that the model is again what it was, bit for bit.

    Args:
        model: A Backpack with its head; the edits are added to those that it has.
        steps: The edits.
    """

    def __init__(self, model: Any, steps: Sequence[Step]):
        self.inner = model.backpack
        self.before = list(self.inner.sense_edits), list(self.inner.weight_edits)
        for step in steps:
            senses, weights = step.of_senses(model), step.of_weights(model)
            self.inner.sense_edits += [senses] if senses else []
            self.inner.weight_edits += [weights] if weights else []

    def revert(self) -> None:
        """Let the model have the edits that it had before, so that later ones go, too."""
        self.inner.sense_edits[:], self.inner.weight_edits[:] = self.before


@contextmanager
def applied(model: Any, steps: Sequence[Step]) -> Iterator[None]:
    """Apply edits for a while.

    Args:
        model: A Backpack with its head.
        steps: The edits.

    Yields:
        Nothing.
    """
    edits = Applied(model, steps)
    try:
        yield
    finally:
        edits.revert()
