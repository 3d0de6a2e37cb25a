"""What the actions that measure models share: their results as rows, and the tokenizer that they begin with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semeqv.grammar.action import Result
from semeqv.tasks.inference import check_tokenizer, name_of, with_new_weights
from semeqv.text.generation import tokenizer_of

Datasets = Mapping[tuple[str, str | None], Any]  # the data sets of a sentence by split and name, not built


@dataclass(frozen=True, kw_only=True)
class Measurement(Result):
    """What was measured of a model.

    Args:
        model: What the model is called.
        new_weights: How many of its weights were drawn at random when it was opened and never trained since.
    """

    model: str
    new_weights: int

    @abstractmethod
    def lines(self) -> Sequence[dict[str, Any]]:
        """Return one JSON object for each row of the table."""

    def records(self) -> list[dict[str, Any]]:
        """Return one JSON object for each row of the table, with the number of new weights if there are any."""
        new = {"new_weights": self.new_weights} if self.new_weights else {}
        return [line | new for line in self.lines()]


def facts_of(model: Any) -> dict[str, Any]:
    """Return what every `Measurement` says of a model: `model` and `new_weights`."""
    (line,) = with_new_weights([{}], model)
    return {"model": name_of(model), "new_weights": line.get("new_weights", 0)}


def fitting_tokenizer(model: Any, tokenizer: Any) -> Any:
    """Return a tokenizer, that of the model's folder if None; raises `UserError` when it does not fit the model."""
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    check_tokenizer(model, tokenizer)
    return tokenizer
