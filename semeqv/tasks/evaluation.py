"""What actions that measure a model have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semeqv.runs.files import write_csv
from semeqv.tasks.inference import with_new_weights


@dataclass(frozen=True)
class Subject:
    """A model that is measured, and what belongs to it.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        dataset_options: The data sets of the sentence by split and name, not built.
        seed: Of all that is random.
        regime: Where and how to compute: device, precision, and threads of a CPU, as `inference` takes them.
    """

    model: Any
    tokenizer: Any
    dataset_options: Mapping[tuple[str, str | None], Any]
    seed: int
    regime: tuple[str, str, int | None]


@dataclass(frozen=True, kw_only=True)
class Measuring(ABC):
    """An action that measures a model.

    Args:
        csv: Write the table to this file, too.
    """

    csv: Path | None = field(default=None, metadata={"last": True})

    @abstractmethod
    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table.

        Args:
            subject: What to measure.

        Returns:
            The lines of the table, as JSON objects with a `measure`.
        """

    def build(
        self,
        *,
        model: Any,
        seed: int,
        device: str,
        precision: str,
        threads: int | None,
        record: Callable[..., None],
        dataset_options: Any = None,
        tokenizer: Any = None,
    ) -> None:
        """Measure, print the table, and write it.

        Args:
            model: What is measured.
            seed: Of all that is random.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            dataset_options: The data sets of the sentence, not built.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from semeqv.text.generation import tokenizer_of

        tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
        regime = (device, precision, threads)
        lines = with_new_weights(self.measured(Subject(model, tokenizer, dataset_options or {}, seed, regime)), model)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)
