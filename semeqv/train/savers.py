"""What is kept of a run."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component

DEVICES = r"cpu|mps|cuda(:\d+)?"


@component("savers default-saver")
@dataclass(frozen=True, kw_only=True)
class DefaultSaver:
    """Keep checkpoints of a run: the newest, to resume from, and the best. The default, when no saver is said.

    A checkpoint is a folder `checkpoints/step-XXXXXXXX` with hashed files; the files `last` and `best` beside it name
    the one they mean. A resumed run ends bit for bit where an uninterrupted one would have.

    Args:
        dirpath: Folder of the run, the same as --output before the first `cli`.
        resume: Continue from the newest valid checkpoint in the folder, or start when there is none.
        restorepath: Continue from this checkpoint, or from the best or last one of this run folder; or from a
            `modelbest.pt` of the study's original code, with --allow_pickle. `cli test` alone tests its weights.
        allow_pickle: Open such a file: by torch's restricted unpickler, which runs no code.
        savelast: Keep the last checkpoint when training is over.
        savebest: Keep the best weights, judged on the validation sets; `cli test` then uses them.
        metric: What is best: accuracy when --mode is max, loss when it is min, if left out.
        mode: Whether the largest or the smallest value is best; at equal values the lower loss is.
        etc: Epochs between two checkpoints; 0 for none but those of --minutes.
        minutes: Minutes between two checkpoints; 0 for none but those of --etc.
        keep: How many of the newest checkpoints to keep while training.
        map_location: Device on which a checkpoint is loaded first.
        verbose: Say when a checkpoint is written.
    """

    dirpath: Path | None = None
    resume: bool = False
    restorepath: Path | None = None
    allow_pickle: bool = False
    savelast: bool = True
    savebest: bool = False
    metric: str | None = None
    mode: Literal["max", "min"] = "max"
    etc: int = 0
    minutes: float = 10.0
    keep: int = 2
    map_location: str = "cpu"
    verbose: bool = False

    def __post_init__(self) -> None:
        check_bounds(self, etc=0, minutes=0, keep=1)
        if not re.fullmatch(DEVICES, self.map_location):
            raise ValueError(f"--map_location must be cpu, cuda, cuda:N or mps, not {self.map_location!r}.")
        if self.resume and self.restorepath:
            raise ValueError("--resume continues the run in its own folder, --restorepath another one; leave one out.")

    def build(self) -> Any:
        """The saver."""
        from semeqv.train.compute import torch_device
        from semeqv.train.saver import Saver

        torch_device(self.map_location, option="--map_location")

        return Saver(
            savelast=self.savelast,
            savebest=self.savebest,
            etc=self.etc,
            minutes=self.minutes,
            metric=self.metric or {"max": "accuracy", "min": "loss"}[self.mode],
            mode=self.mode,
            keep=self.keep,
            resume=self.resume,
            restorepath=self.restorepath,
            allow_pickle=self.allow_pickle,
            map_location=self.map_location,
            verbose=self.verbose,
        )
