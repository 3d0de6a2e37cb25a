"""What actions that let a model answer data sets, and write its answers, have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_csv
from semeqv.tasks.inference import with_new_weights


@dataclass(frozen=True)
class Asked:
    """A model that is asked, and what belongs to it.

    Args:
        model: The model.
        dataset: What it is asked: the data sets of the sentence, by split and name.
        dataset_options: Their components.
        folder: The run's.
        regime: Where and how to compute: device, precision, and threads of a CPU, as `inference` takes them.
    """

    model: Any
    dataset: Mapping[tuple[str, str | None], Any]
    dataset_options: Mapping[tuple[str, str | None], Any]
    folder: Path
    regime: tuple[str, str, int | None]


@dataclass(frozen=True)
class Sheet:
    """A data set that is to be answered.

    Args:
        split: The part of the data.
        name: Its name.
        data: Its questions, and their true answers.
        path: Where the answers of the model go.
    """

    split: str
    name: str | None
    data: Any
    path: Path

    @property
    def called(self) -> str:
        """What it is called: by its name, else by its split."""
        return self.name or self.split


@dataclass(frozen=True, kw_only=True)
class Answering(ABC):
    """An action that lets a model answer data sets, writes the answers, and scores them.

    Args:
        splits: Which of the data sets.
        path: The file of each; {run} in it stands for the run's folder, {name} for the name of the set.
        replicates: Samples of the bootstrap; 0 for no intervals.
        csv: Write the scores to this file, too.
    """

    splits: tuple[str, ...] = ("validation", "test")
    path: str = "{run}/{name}.tsv"
    replicates: int = field(default=1000, metadata={"last": True})
    csv: Path | None = field(default=None, metadata={"last": True})

    def __post_init__(self) -> None:
        check_bounds(self, replicates=0)
        if strange := set(self.splits) - {"train", "validation", "test"}:
            raise ValueError(f"--splits are train, validation and test, not {min(strange)!r}.")

    @abstractmethod
    def answered(self, asked: Asked) -> list[dict[str, Any]]:
        """Let the model answer, write the answers, score them, and print the table.

        Args:
            asked: The model, and what it is asked.

        Returns:
            A line for each data set that has true answers.
        """

    def build(
        self,
        *,
        model: Any,
        dataset: Any,
        dataset_options: Any,
        output: Path,
        device: str,
        precision: str,
        threads: int | None,
        record: Callable[..., None],
    ) -> None:
        """Answer, write, score and print.

        Args:
            model: What is asked.
            dataset: By split and name.
            dataset_options: The same, not built.
            output: The run's folder.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
        """

        asked = Asked(model, dataset, dataset_options, output, (device, precision, threads))
        lines = with_new_weights(self.answered(asked), model)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)

    def sheets(self, asked: Asked, kind: type | tuple[type, ...], lacking: str) -> list[Sheet]:
        """The data sets to answer, each with its file.

        Args:
            asked: Has the data sets.
            kind: Of the data sets that can be answered.
            lacking: What to say when there is none.

        Returns:
            Those of the splits that were asked for.

        Raises:
            UserError: When there is none, or several would write one file.
        """
        found = list[Sheet]()
        for (split, name), data in asked.dataset.items():
            if split in self.splits and isinstance(data, kind):
                path = Path(self.path.replace("{run}", str(asked.folder)).replace("{name}", name or split))
                found.append(Sheet(split, name, data, path))
        if not found:
            raise UserError(f"{lacking} --split {self.splits[-1]}")
        if len({sheet.path for sheet in found}) < len(found):
            raise UserError(f"--path {self.path} is one file for several sets; put {{name}} into it.")
        return found


def shown(line: Mapping[str, Any], score: str, kind: str) -> str:
    """Write a score and its interval.

    Args:
        line: Has it.
        score: Its key.
        kind: The format of a number, such as `.2%`.

    Returns:
        `81.20% [80.10%-82.30%]`, or the score alone where the line has no interval of it.
    """
    ends = [line[f"{score}_{end}"] for end in ("low", "high") if f"{score}_{end}" in line]
    return f"{line[score]:{kind}}" + (f" [{ends[0]:{kind}}-{ends[1]:{kind}}]" if ends else "")
