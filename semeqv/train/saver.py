"""Keeps checkpoints of a run, and resumes it from them."""

from __future__ import annotations

import itertools
import math
import re
import shutil
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click

from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import torch
from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from semeqv.runs.folder import RunFolder
from semeqv.runs.processes import World
from semeqv.train import semantica
from semeqv.train.callbacks.callback import Callback
from semeqv.train.compute import torch_device
from semeqv.train.definition import definition, refuse_changes, shorten
from semeqv.train.metrics import Metrics
from semeqv.train.randomness import generator_states, restore_generators
from semeqv.train.state import TrainState
from semeqv.train.strategies import save_shards

RESUMABLE = {"step", "best", "means", "skipped", "lengths", "definition", "callbacks"}  # of a trainer.json


class Saver:
    """Writes checkpoints into each run's folder: the newest ones, to resume from, and the best weights.

    The best weights are kept in memory and written with the next checkpoint: an interrupted run, resumed, computes
    them again.

    Args:
        savelast: Keep the last checkpoint when training is over.
        savebest: Keep the best weights, judged on the validation sets.
        etc: Epochs between two checkpoints; 0 for none but those of `minutes`.
        minutes: Minutes between two checkpoints; 0 for none but those of `etc`.
        metric: What is best: accuracy or loss, or another metric of the loss function.
        mode: max or min.
        keep: How many checkpoints to keep to resume from.
        resume: Whether to continue from the newest valid checkpoint.
        restorepath: A checkpoint, or a run's folder, to continue from; or a file of the study's original code.
        allow_pickle: Whether to open such a file.
        map_location: Where tensors are loaded first.
        verbose: Say when a checkpoint is written.
    """

    def __init__(
        self,
        *,
        savelast: bool,
        savebest: bool,
        etc: int,
        minutes: float,
        metric: str,
        mode: str,
        keep: int,
        resume: bool,
        restorepath: Path | None,
        allow_pickle: bool = False,
        map_location: str,
        verbose: bool,
    ):
        self.savelast, self.savebest, self.etc, self.minutes = savelast, savebest, etc, minutes
        self.metric, self.mode, self.keep = metric, mode, keep
        self.resuming, self.restorepath, self.allow_pickle = resume, restorepath, allow_pickle
        self.map_location, self.verbose = map_location, verbose
        self.best: list[dict[str, Any] | None] = []
        self.pending: dict[int, dict[str, torch.Tensor]] = {}
        self.saved_at = time.monotonic()

    def due(self, trainer: TrainState, epoch_ended: bool) -> bool:
        """Whether it is time for a checkpoint."""
        if self.etc and epoch_ended and trainer.epoch % self.etc == 0:
            return True
        return self.minutes > 0 and time.monotonic() - self.saved_at >= 60 * self.minutes

    def note(self, trainer: TrainState, metrics: Metrics) -> None:
        """Keep the weights of every replica that is better than before; at an equal metric the lower loss wins.

        Args:
            trainer: The Trainer.
            metrics: Validation metrics, name to an array over replicas.

        Raises:
            UserError: When the metric to judge by is not among them.
        """
        if not self.savebest:
            return
        if self.metric not in metrics:
            raise UserError(
                f"--savebest judges by {self.metric!r}, which is not measured; there is "
                f"{', '.join(metrics)}. Choose one by --metric (and --mode) of the saver."
            )
        self.best = self.best or [None] * len(trainer.seeds)
        sign = 1 if self.mode == "max" else -1
        for r, old in enumerate(self.best):
            new: dict[str, Any] = {"metric": self.metric, "mode": self.mode, "step": trainer.step}
            new |= {"value": float(metrics[self.metric][r]), "loss": float(metrics["loss"][r])}
            if math.isnan(new["value"]):
                continue
            if old is None or (sign * new["value"], -new["loss"]) > (sign * old["value"], -old["loss"]):
                self.best[r] = new
                self.pending[r] = trainer.made.weights(r)

    def save(self, trainer: TrainState, final: bool) -> None:
        """Write a checkpoint of every run, and drop those no longer needed; at the end `final` is true."""
        self.saved_at = time.monotonic()
        for r, run in enumerate(trainer.runs):
            folder, best = run.checkpoints, self.best[r] if self.best else None
            facts: dict[str, Any] = {"step": trainer.step, "epoch_steps": trainer.epoch_steps, "best": best}
            if (pending := self.pending.pop(r, None)) is not None and best and best["step"] != trainer.step:
                weights = checkpoint.Checkpoint(pending, None, facts | {"step": best["step"]})
                path = folder / checkpoint.name_of(best["step"])
                write = partial(checkpoint.write, accompany=partial(accompany, trainer, r))
                trainer.world.on_main(partial(write, path, weights))
            if not final or self.savelast or (best and best["step"] == trainer.step):
                self.save_whole(trainer, r, facts)
        if trainer.world.is_main:  # and not before all are written, so that they always have a step in common
            for r, run in enumerate(trainer.runs):
                self.settle(run.checkpoints, trainer.step, self.best[r] if self.best else None, final)

    def save_whole(self, trainer: TrainState, r: int, facts: dict[str, Any]) -> None:
        """Write a checkpoint to resume a replica's run from; `facts` are its step and best value."""
        run, learner, world = trainer.runs[r], trainer.made, trainer.world
        path = run.checkpoints / checkpoint.name_of(trainer.step)
        facts |= {
            "lengths": run.flush(),
            "means": trainer.means(r),
            "skipped": trainer.skipped,
            "unvalidated": trainer.unvalidated,
            "seconds": trainer.seconds,
            "definition": definition(trainer, r),
            "callbacks": {name: each.state() for name, each in named(trainer.callbacks).items()},
        }
        state = {"learner": learner.state(r), "generators": world.all_gather(generator_states())}
        whole = checkpoint.Checkpoint(learner.weights(r), state, facts)
        shards, aside = learner.shards(r), path.with_name(f".shards-{path.name}.tmp")
        if shards:
            world.on_main(partial(shutil.rmtree, aside, ignore_errors=True))
            save_shards(shards, aside)
        write = partial(checkpoint.write, accompany=partial(accompany, trainer, r))
        world.on_main(partial(write, path, whole, aside if shards else None))
        if self.verbose:
            click.echo(f"Saved {path}", err=True)

    def settle(self, folder: Path, step: int, best: dict[str, Any] | None, final: bool) -> None:
        """Point to the last and the best checkpoint; remove those that are neither the best nor among the newest."""
        if (folder / checkpoint.name_of(step) / checkpoint.STATE).exists():
            checkpoint.point(folder, "last", step)
        if best:
            checkpoint.point(folder, "best", best["step"])
        else:
            (folder / "best").unlink(missing_ok=True)
        resumable = checkpoint.resumable(folder)
        keep = set(resumable[: 0 if final and not self.savelast else self.keep]) | {best and best["step"]}
        for each in checkpoint.steps(folder):
            if each not in keep:
                checkpoint.remove(folder / checkpoint.name_of(each))
        if final and not self.savelast:
            (folder / "last").unlink(missing_ok=True)

    def find(self, trainer: TrainState) -> list[Path]:
        """What `search` finds in the first process."""
        return trainer.world.on_main(partial(self.search, trainer))

    def search(self, trainer: TrainState) -> list[Path]:
        """The checkpoint of every run to continue from.

        Args:
            trainer: The Trainer whose runs they are.

        Returns:
            A folder for each run: what --restorepath names, or the newest undamaged ones of a step that all runs
            have. Empty to start anew.

        Raises:
            UserError: When --restorepath names no whole checkpoint, or ones of different steps; when there is no
                folder; or when there are checkpoints, but of no step that all runs have undamaged.
        """
        if self.restorepath and self.restorepath.is_file():
            if len(trainer.models) > 1:
                raise UserError(
                    f"{self.restorepath} is of one run, and these are {len(trainer.models)}. Say one --seed."
                )
            return [self.restorepath]
        if self.restorepath:
            own = [self.restorepath / run.path.name for run in trainer.runs]
            sources = [path if path.is_dir() else self.restorepath for path in own] or [self.restorepath]
            found = [checkpoint.locate(source, "last", "best") for source in sources]
            for path in found:
                if not (path / checkpoint.STATE).exists():
                    raise UserError(f"{path} holds only weights, nothing to continue from; name a whole checkpoint.")
            if len({path.name for path in found}) > 1:
                raise UserError(f"The runs in {self.restorepath} stand at different steps and cannot go on together.")
            return found
        if not self.resuming:
            return []
        if not trainer.runs:
            raise UserError("Resuming needs a folder: Trainer.set_output.")
        for run in trainer.runs:
            checkpoint.clean(run.checkpoints)
        steps = [list(checkpoint.valid(run.checkpoints)) for run in trainer.runs]
        if common := set(steps[0]).intersection(*steps[1:]):
            return [run.checkpoints / checkpoint.name_of(max(common)) for run in trainer.runs]
        left = [run.path for run in trainer.runs if checkpoint.resumable(run.checkpoints) and not run.overwrite]
        if left and len(steps) == 1:
            raise UserError(f"{left[0]} has no checkpoint that is undamaged. Start anew with --overwrite.")
        if left:
            stand = (f"{run.path.name}: {max(own, default='none')}" for run, own in zip(trainer.runs, steps))
            raise UserError(
                f"The runs have no checkpoint of the same step to go on from ({shorten('; '.join(stand))}). Resume "
                "those of one step at a time, or start all of them anew with --overwrite."
            )
        return []

    def resume(self, trainer: TrainState, paths: list[Path]) -> bool:
        """Continue every run from its checkpoint.

        Args:
            trainer: The Trainer, its learner made.
            paths: A checkpoint folder for each run, from `find`; or none.

        Returns:
            Whether there was something to continue.

        Raises:
            checkpoint.Damaged: When a checkpoint has lost its state.
        """
        if not paths:
            return False
        if paths[0].is_file():
            self.resume_foreign(trainer, paths[0])
            return True
        self.best, lengths = [], []
        for r, path in enumerate(paths):
            saved = checkpoint.read_together(trainer.world, path, self.map_location)
            if saved.state is None:
                raise checkpoint.Damaged(f"{path} has lost its state.")
            if lacking := RESUMABLE - saved.trainer.keys():
                raise checkpoint.Damaged(f"{path} does not say {', '.join(sorted(lacking))}: another program wrote it.")
            refuse_changes(path, saved.trainer["definition"], definition(trainer, r), trainer.runs[r].usual)
            shards = path / checkpoint.SHARDS
            sharded = trainer.world.on_main(shards.exists)
            trainer.made.load(r, saved.weights, saved.state["learner"], shards if sharded else None)
            trainer.step = saved.trainer["step"]
            trainer.restore_means(r, saved.trainer["means"])
            trainer.skipped = saved.trainer["skipped"]
            trainer.unvalidated = saved.trainer.get("unvalidated", False)
            self.best.append(self.best_before(trainer.world, r, path, saved.trainer))
            lengths.append(saved.trainer["lengths"])
            restore_generators(saved.state["generators"][trainer.world.rank])
        if self.restorepath is None:
            trainer.spent = saved.trainer.get("seconds", trainer.runs[0].saved().get("seconds", 0.0))
            for run, best, length in zip(trainer.runs, self.best, lengths):
                self.go_back(trainer, run, best, length)
        for name, callback in named(trainer.callbacks).items():
            if state := saved.trainer["callbacks"].get(name):
                callback.restore(trainer, state)
        if not any(self.best):
            self.best = []
        click.echo(
            f"Resumed {paths[0].parent.parent if len(paths) == 1 else f'{len(paths)} runs'} at step {trainer.step}.",
            err=True,
        )
        return True

    def resume_foreign(self, trainer: TrainState, path: Path) -> None:
        """Continue a run from a file of the study's original code; its weights may be the best."""
        saved = semantica.read(path, self.allow_pickle, self.map_location)
        semantica.restore(trainer, path, saved)
        if self.savebest and (self.metric, self.mode) == ("accuracy", "max") and saved.value == saved.best:
            accuracy, loss = saved.best
            judge = {"metric": self.metric, "mode": self.mode, "step": trainer.step}
            self.best, self.pending = [judge | {"value": accuracy, "loss": loss}], {0: trainer.made.weights(0)}

    def best_before(self, world: World, r: int, path: Path, saved: dict[str, Any]) -> dict[str, Any] | None:
        """What was best at a checkpoint.

        Args:
            world: The processes.
            r: Whose it is.
            path: The checkpoint.
            saved: What its trainer.json says.

        Returns:
            What that says of the best; None when another metric judged, or its weights cannot come along.
        """
        best: dict[str, Any] | None = saved["best"]
        if best is None:
            return None
        judge = best.get("metric", self.metric), best.get("mode", self.mode)
        if self.savebest and judge != (self.metric, self.mode):
            said = "the best weights so far, judged by {} ({}), are dropped: now {} ({}) judges."
            click.echo(f"{path.parent.parent}: {said.format(*judge, self.metric, self.mode)}", err=True)
            return None
        if self.restorepath is not None:
            weights = path if best["step"] == saved["step"] else path.parent / checkpoint.name_of(best["step"])
            if not world.on_main(weights.is_dir):
                return None
            self.pending[r] = checkpoint.read_together(world, weights, self.map_location).weights
        return best

    def go_back(
        self, trainer: TrainState, run: RunFolder, best: dict[str, Any] | None, lengths: dict[str, int]
    ) -> None:
        """Let a run's folder be as it was at the step that the run goes on from."""
        run.rewind(lengths)
        if trainer.world.is_main:
            for step in checkpoint.steps(run.checkpoints):
                if step > trainer.step:
                    checkpoint.remove(run.checkpoints / checkpoint.name_of(step))
            # A run may have been killed between a checkpoint and its pointers.
            self.settle(run.checkpoints, trainer.step, best, final=trainer.step >= trainer.last_step)


def accompany(trainer: TrainState, r: int, folder: Path) -> None:
    """Make a checkpoint a folder that `from_pretrained` opens: the model's configuration, and the tokenizer.

    Args:
        trainer: The Trainer.
        r: Which replica.
        folder: The folder, with the weights in it.
    """
    model = trainer.models[r]
    for name in ("config", "generation_config"):
        config: Any = getattr(model, name, None)
        if hasattr(config, "save_pretrained"):
            if name == "config":
                config.architectures = [type(model).__name__.removeprefix("FSDP")]  # what sharding puts before it
            config.save_pretrained(folder)
    if trainer.tokenizer is not None:
        trainer.tokenizer.save_pretrained(folder)


def named(callbacks: list[Callback]) -> dict[str, Callback]:
    """Callbacks by the name of their kind, numbered where there are several of it."""
    found: dict[str, Callback] = {}
    for callback in callbacks:
        kind = type(callback).__name__
        found[next(name for i in itertools.count(1) if (name := kind if i == 1 else f"{kind} {i}") not in found)] = (
            callback
        )
    return found


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
