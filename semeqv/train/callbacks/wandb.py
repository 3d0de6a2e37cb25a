"""Shows runs in Weights & Biases."""

import os
from dataclasses import dataclass
from typing import Any, Literal

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.train.callbacks.trackers import Tracked, Tracker, missing


@component("callbacks wandb")
@dataclass(frozen=True, kw_only=True)
class Wandb(Tracked):
    """Write the metrics of every split, and the learning rate, for Weights & Biases.

    Each run is a run there, with its sentence as its configuration; a resumed one goes on. Nothing leaves the machine
    unless --mode is online: runs lie in `wandb/` in the run's folder, and `wandb sync RUN/wandb/offline-run-*` uploads
    them. Needs `pip install -e '.[tracking]'`.

    Args:
        project: Project to record in.
        entity: User or team that the project belongs to; your default one if left out.
        group: Name that keeps runs together.
        mode: Whether to upload at once, to write to the disk, or to do nothing.
    """

    project: str = "semeqv"
    entity: str | None = None
    group: str | None = None
    mode: Literal["offline", "online", "disabled"] = "offline"

    def build(self) -> Any:
        """The callback.

        Returns:
            A `WandbTracker`.

        Raises:
            UserError: When wandb is not installed.
        """
        if self.mode != "online":  # even then it would report its errors, and how it is used
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        try:
            import wandb
        except ImportError as error:
            raise UserError(missing("wandb")) from error
        return WandbTracker(self, wandb)


class WandbTracker(Tracker):
    """Writes the metrics of every run for Weights & Biases.

    Args:
        options: Where, and how.
        wandb: The package.
    """

    def __init__(self, options: Wandb, wandb: Any):
        super().__init__(options.stc)
        self.options, self.wandb = options, wandb
        self.open: dict[int, Any] = {}
        self.ids: dict[str, str] = {}

    def on_begin(self, trainer: Any) -> None:
        """Open every run, so that what is wrong with it shows before the first step."""
        for r in range(len(self.runs)):
            self.opened(r)

    def opened(self, replica: int) -> Any:
        """A run of Weights & Biases, opened when it is first needed.

        Args:
            replica: Whose.

        Returns:
            The `wandb.Run`.

        Raises:
            UserError: When it cannot be opened.
        """
        if replica not in self.open:
            folder = self.runs[replica]
            try:
                run = self.wandb.init(
                    project=self.options.project,
                    entity=self.options.entity,
                    group=self.options.group,
                    mode=self.options.mode,
                    name=folder.path.name,
                    dir=folder.path.absolute(),  # its service may have started in another folder
                    config=folder.sentence,
                    id=self.ids.get(folder.path.name),
                    resume="allow",
                    reinit="create_new",  # several runs in one process
                    settings=self.wandb.Settings(console="off", silent=self.options.mode != "online"),
                )
            except self.wandb.Error as error:
                raise UserError(f"wandb: {error}") from error
            run.define_metric("step")
            run.define_metric("*", step_metric="step")
            self.open[replica], self.ids[folder.path.name] = run, run.id
        return self.open[replica]

    def record(self, replica: int, step: int, values: dict[str, float]) -> None:
        """Write values of a run at a step."""
        self.opened(replica).log({"step": step, **values})

    def on_end(self, trainer: Any) -> None:
        """Close every run, unless its test may follow; what is then open closes with the program."""
        if not trainer.testsplits:
            for run in self.open.values():
                run.finish()
            self.open.clear()

    def state(self) -> dict[str, Any]:
        """The name of each run there, by its folder's."""
        return {"ids": self.ids}

    def restore(self, trainer: Any, state: dict[str, Any]) -> None:
        """Go on with the same runs, unless a new run continues another."""
        if trainer.saver.restorepath is None:
            self.ids = dict(state["ids"])
