"""What callbacks that show a run in another program have in common."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any, Literal

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.train.callbacks.callback import Callback

PLACE = ("epoch", "step", "split", "name")


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """What the components of such callbacks have in common.

    Args:
        stc: Steps between two records of a single training step (`step/loss`, ...); 0 for none.
    """

    stc: int = 0

    def __post_init__(self) -> None:
        if self.stc < 0:
            raise ValueError(f"--stc must be 0 (never) or more, not {self.stc}.")


class Tracker(Callback):
    """Records elsewhere what goes into metrics.jsonl, of every split, as it is written, and the learning rate.

    Values are named `split/metric`, or `split/name/metric` where the data set has a name; those of a single training
    step `step/metric`.

    Args:
        steps: Steps from one record of a training step to the next; 0 for none.
    """

    def __init__(self, steps: int):
        super().__init__("train", steps)
        self.runs: list[Any] = []

    def on_start(self, trainer: Any) -> None:
        """Watch the metrics of every run.

        Args:
            trainer: The Trainer.

        Raises:
            UserError: When its runs have no folder.
        """
        if not trainer.runs:
            raise UserError(f"{type(self).__name__} needs a folder: Trainer.set_output, or --output.")
        if not self.runs:  # else a test has started it before the training
            for r, run in enumerate(trainer.runs):
                run.metrics.watchers.append(functools.partial(self.see, trainer, r))
        self.runs = trainer.runs if trainer.world.is_main else []

    def see(self, trainer: Any, replica: int, line: dict[str, Any]) -> None:
        """Record a line of metrics.jsonl."""
        where = "/".join(filter(None, (line["split"], line["name"])))
        values = {f"{where}/{name}": value for name, value in line.items() if name not in PLACE}
        self.record(replica, line["step"], values | (rates(trainer) if line["split"] == "train" else {}))

    def on_step(self, trainer: Any, metrics: Any) -> None:
        """Record a training step."""
        for r in range(len(self.runs)):
            values = {f"step/{name}": float(value[r]) for name, value in metrics.items()}
            self.record(r, trainer.step, values | rates(trainer))

    def record(self, replica: int, step: int, values: dict[str, float]) -> None:
        """Record values of a run at a step."""
        raise NotImplementedError


def rates(trainer: Any) -> dict[str, float]:
    """The learning rate, of each parameter group where there are several."""
    found = trainer.made.rates()
    found = found[:1] if len(set(found)) == 1 else found  # groups that differ in weight decay alone
    return {"learning_rate" if len(found) == 1 else f"learning_rate/{i}": rate for i, rate in enumerate(found)}


def missing(package: str) -> str:
    """What to say when a package is not installed."""
    return f"`cli callbacks {package}` needs {package}: pip install -e '.[tracking]'"


@component("callbacks tensorboard")
@dataclass(frozen=True, kw_only=True)
class Tensorboard(Tracked):
    """Write the metrics of every split, and the learning rate, for TensorBoard: `tensorboard --logdir runs`.

    They go into `tensorboard/` in the run's folder: `train/loss`, `validation/accuracy`, `validation/NAME/accuracy`,
    `learning_rate`, ... Needs `pip install -e '.[tracking]'`.
    """

    def build(self) -> Any:
        """The callback.

        Returns:
            A `TensorboardTracker`.

        Raises:
            UserError: When TensorBoard is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError(missing("tensorboard")) from error
        return TensorboardTracker(self.stc, SummaryWriter)


class TensorboardTracker(Tracker):
    """Writes the metrics of every run for TensorBoard.

    Args:
        steps: Steps from one record of a training step to the next; 0 for none.
        writer: `SummaryWriter`.
    """

    def __init__(self, steps: int, writer: Any):
        super().__init__(steps)
        self.writer = writer
        self.writers: dict[int, Any] = {}
        self.purge_step: int | None = None

    def on_begin(self, trainer: Any) -> None:
        """Remove what a run that this one replaces has left."""
        for run in self.runs:
            for path in (run.path / "tensorboard").glob("events.out.tfevents.*"):
                path.unlink()

    def see(self, trainer: Any, replica: int, line: dict[str, Any]) -> None:
        """Record a line of metrics.jsonl, to be seen at once."""
        super().see(trainer, replica, line)
        self.writers[replica].flush()

    def record(self, replica: int, step: int, values: dict[str, float]) -> None:
        """Write values of a run at a step."""
        if replica not in self.writers:
            path = self.runs[replica].path / "tensorboard"
            self.writers[replica] = self.writer(path, purge_step=self.purge_step)
        for name, value in values.items():
            self.writers[replica].add_scalar(name, value, step)

    def on_end(self, trainer: Any) -> None:
        """Close the files; a test opens others."""
        for writer in self.writers.values():
            writer.close()
        self.writers, self.purge_step = {}, None

    def state(self) -> dict[str, Any]:
        """Something, for `restore` to be called."""
        return {"purge": True}

    def restore(self, trainer: Any, state: dict[str, Any]) -> None:
        """Let TensorBoard forget what an interrupted run wrote after the step that is resumed."""
        self.purge_step = trainer.step + 1


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
