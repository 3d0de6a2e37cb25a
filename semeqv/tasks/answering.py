"""Data sets that a model answers: which ones, and the files of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from semeqv.runs.errors import UserError

Datasets: TypeAlias = Mapping[tuple[str, str | None], Any]  # by split and name

SPLITS = {"train", "validation", "test"}


def check_splits(options: Any) -> None:
    """Refuse names of splits that there are not: `ValueError`."""
    if strange := set(options.splits) - SPLITS:
        raise ValueError(f"--splits are train, validation and test, not {min(strange)!r}.")


@dataclass(frozen=True)
class AnswerSheet:
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
    def label(self) -> str:
        """What to call it: its name, else its split."""
        return self.name or self.split


def answer_sheets(
    dataset: Datasets,
    kind: type | tuple[type, ...],
    *,
    splits: Sequence[str],
    path: str,
    folder: Path,
    missing: str,
) -> list[AnswerSheet]:
    """Return the data sets to answer, each with its file.

    Args:
        dataset: The data sets.
        kind: Of the data sets that can be answered.
        splits: Which of them.
        path: The file of each; {run} in it stands for the folder, {name} for the name of the set.
        folder: The run's.
        missing: What to say when there is none.

    Returns:
        The sheets, in the order of the data sets.

    Raises:
        UserError: When there is none, or several would write one file.
    """
    sheets = list[AnswerSheet]()
    for (split, name), data in dataset.items():
        if split in splits and isinstance(data, kind):
            file = Path(path.replace("{run}", str(folder)).replace("{name}", name or split))
            sheets.append(AnswerSheet(split, name, data, file))
    if not sheets:
        raise UserError(f"{missing} --split {splits[-1]}")
    if len({sheet.path for sheet in sheets}) < len(sheets):
        raise UserError(f"--path {path} is one file for several sets; put {{name}} into it.")
    return sheets


def with_interval(line: Mapping[str, Any], score: str, kind: str) -> str:
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
