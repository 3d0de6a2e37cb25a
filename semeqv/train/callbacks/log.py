"""Callbacks that write what was measured."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError

SPLITS = {"train": "train", "valid": "validation", "test": "test"}
# The words that the study's original code had in the place of --split.
RETIRED = {f"{word}callback": f"Write --split {split}." for word, split in SPLITS.items()}


@component("callbacks default")
@dataclass(frozen=True, kw_only=True)
class Default:
    """Observe nothing: what every run writes into metrics.jsonl is enough.

    Args:
        split: Which part of the run it belongs to.
    """

    retired: ClassVar[dict[str, str]] = RETIRED

    split: Literal["train", "validation", "test"] = "train"

    def build(self) -> Any:
        """The callback."""
        from semeqv.train.callbacks.callback import Callback

        return Callback(self.split)


@dataclass(frozen=True, kw_only=True)
class Logged:
    """What callbacks that log have in common.

    Args:
        split: The split to observe.
        step_log_path: File of one JSON line a training step, or a batch of the validation or test set.
        epoch_log_path: File of one JSON line an epoch, or a pass over the validation or test set.
        etc: Epochs between two records; 0 for none.
        stc: Steps between two records; 0 for none.
    """

    retired: ClassVar[dict[str, str]] = RETIRED

    split: Literal["train", "validation", "test"] = "train"
    step_log_path: Path | None = None
    epoch_log_path: Path | None = None
    etc: int = 1
    stc: int = 0

    def __post_init__(self) -> None:
        for name in ("etc", "stc"):
            if getattr(self, name) < 0:
                raise ValueError(f"--{name} must be 0 (never) or more, not {getattr(self, name)}.")
        if self.split != "train" and self.stc:
            raise ValueError(f"--stc counts training steps; the {self.split} split has none.")


@component("callbacks log")
@dataclass(frozen=True, kw_only=True)
class Log(Logged):
    """Write the loss and the other metrics as JSON lines; without a path, print them.

    With several seeds a path must tell the runs apart: `{run}` in it stands for the run's folder.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stc and self.epoch_log_path and not self.step_log_path:
            raise ValueError("--stc says how often a step is written; say where to by --step_log_path.")

    def build(self) -> Any:
        """The callback."""
        from semeqv.train.callbacks.logger import Logger

        return Logger(self)


def run_path(path: Path | None, run: Any, several: bool) -> Path | None:
    """A path with the run's folder in the place of `{run}`.

    Args:
        path: What the user wrote; None when nothing.
        run: The RunFolder.
        several: Whether there are other runs beside it.

    Returns:
        The path for this run; None for None.

    Raises:
        UserError: When several runs would write one file.
    """
    if path is None:
        return None
    if several and "{run}" not in str(path):
        raise UserError(f"Every run would write {path}. Write {{run}}/{path.name} (the run's folder), or leave it out.")
    return Path(str(path).replace("{run}", str(run.path)))
