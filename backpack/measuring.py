"""What the actions that measure models share: results with intervals, the tokenizer and the texts of a sentence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semeqv.grammar.action import Result
from semeqv.lazy import NDArray, numpy
from semeqv.results.statistics import interval
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import check_tokenizer, name_of, with_new_weights
from semeqv.text.generation import tokenizer_of

Datasets = Mapping[tuple[str, str | None], Any]  # the data sets of a sentence by split and name, not built


@dataclass(frozen=True)
class IntervalEstimate:
    """A mean, or a correlation, and its 95% interval by a bootstrap.

    Args:
        mean: The mean, or the correlation.
        low: The lower end of the interval.
        high: The upper end.
    """

    mean: float
    low: float
    high: float

    def named(self, name: str) -> dict[str, float]:
        """Return the mean and the ends of its interval under the names that they have in metrics.jsonl."""
        return {name: self.mean, f"{name}_low": self.low, f"{name}_high": self.high}

    def cells(self) -> list[str]:
        """Return the mean and the interval as two cells of a table."""
        return [f"{self.mean:.3f}", f"{self.low:.3f}-{self.high:.3f}"]


def estimate(values: NDArray[Any], replicates: int, generator: numpy.random.Generator) -> IntervalEstimate:
    """Estimate a mean.

    Args:
        values: `(n,)`, numbers or truth values.
        replicates: Samples of the bootstrap.
        generator: Draws them.

    Returns:
        The mean, and its interval.
    """
    return IntervalEstimate(float(values.mean()), *interval([values], replicates, generator))


@dataclass(frozen=True, kw_only=True)
class Measurement(Result, ABC):
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


def held_out_texts(dataset_options: Datasets, command: str) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """Read the validation and test sets of a sentence.

    Args:
        dataset_options: The data sets by split and name, not built.
        command: The command, for the message.

    Yields:
        The name of a set, and its texts with their languages.

    Raises:
        UserError: When there is none.
    """
    sets = {
        key: options for key, options in dataset_options.items() if key[0] != "train" and hasattr(options, "corpus")
    }
    if not sets:
        raise UserError(f"{command} has no text: add a data set with --split validation.")
    for (split, name), options in sets.items():
        texts = ((document.text, document.language) for document in options.corpus())
        yield f"{split} {name}" if name else split, texts
