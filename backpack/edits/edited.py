"""A Backpack with edits: as a model of a sentence, and from Python."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from backpack.edits.files import check_steps, open_edits
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
        """Open the model, and apply the edits.

        Args:
            tokenizer: Of the run; else that of the model's folder, if it has one.

        Returns:
            A `BackpackLMHeadModel`.

        Raises:
            UserError: When it is not a Backpack, or an edit does not fit it.
        """
        from backpack.networks import BackpackLMHeadModel

        model = super().build(tokenizer)
        if not isinstance(model, BackpackLMHeadModel):
            raise UserError(f"{self.source} is a {type(model).__name__}, not a Backpack: it has no senses to edit.")
        known = self.provide_tokenizer() if tokenizer is None else tokenizer
        edit(model, self.edits, known)
        model.called = " + ".join([str(self.source), *(path.name for path in self.edits)])
        return model


class AppliedEdits:
    """Edits that a model has.

    They are functions beside its weights, in the order in which they were applied: each is computed on what the ones
    before it leave, and reverting takes them away, so that the model is again what it was, bit for bit. In a `with`
    statement they are reverted at its end.

    Args:
        model: A Backpack with its head; the edits are added to those that it has.
        steps: The edits.
    """

    def __init__(self, model: Any, steps: Sequence[Step]):
        self.inner, self.steps = model.backpack, tuple(steps)
        self.before = list(self.inner.sense_edits), list(self.inner.weight_edits)
        for step in steps:
            senses, weights = step.of_senses(model), step.of_weights(model)
            self.inner.sense_edits += [senses] if senses else []
            self.inner.weight_edits += [weights] if weights else []

    def revert(self) -> None:
        """Give the model back the edits that it had before; edits that were applied later are reverted, too."""
        self.inner.sense_edits[:], self.inner.weight_edits[:] = self.before

    def __enter__(self) -> Self:
        """Return the edits, which are applied already."""
        return self

    def __exit__(self, *error: object) -> None:
        """Revert them."""
        self.revert()


def edit(model: Any, edits: Iterable[Step | Path | str], tokenizer: Any = None) -> AppliedEdits:
    """Apply edits to a model, until they are reverted.

        with backpack.edit(model, [Scale(tokens=(2,), senses=(1,), factor=0.0)]):
            logits = model(input_ids=ids).logits

    Args:
        model: A Backpack with its head. Its weights are not changed.
        edits: Edits of `backpack.edits`, or files that `cli backpack edit` wrote, each applied to what the ones before
            it leave; `UserError` is raised when one does not fit the model.
        tokenizer: Its tokenizer; with it, a file for another vocabulary is noticed.

    Returns:
        The edits; `revert` takes them back.
    """
    steps = [
        step
        for each in edits
        for step in ([each] if isinstance(each, Step) else open_edits([Path(each)], model, tokenizer))
    ]
    check_steps(steps, model)
    return AppliedEdits(model, steps)
