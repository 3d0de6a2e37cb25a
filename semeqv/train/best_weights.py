"""The weights that a test measures: the best ones, when they were kept, else the last."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from semeqv.lazy import torch
from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from semeqv.train import semantica
from semeqv.train.state import TrainState


@contextlib.contextmanager
def best_weights(trainer: TrainState) -> Iterator[list[int]]:
    """Give every replica its best weights, when a saver kept them; else its last ones.

    Args:
        trainer: The Trainer. When it has trained, its last weights come back afterwards. When it has not, weights
            are read from where the saver is to restore them, else from each run's folder, and stay; where there is no
            checkpoint, a model that was opened from somewhere (it has a `source`) is taken as it is.

    Yields:
        The step of the weights of each run.

    Raises:
        UserError: When it has not trained, and a folder has no checkpoint, or one that --overwrite would replace.
    """
    steps, last = [trainer.step] * len(trainer.runs), dict[int, dict[str, torch.Tensor]]()
    try:
        for r in range(len(trainer.runs) if trainer.saver else 0):
            path = best_path(trainer, r)
            if path is None or (trainer.trained and path.name == checkpoint.name_of(trainer.step)):
                continue
            weights, step, epoch_steps = weights_in(trainer, r, path)
            if trainer.trained:
                last[r] = trainer.made.weights(r, everywhere=True)
            try:
                trainer.made.load(r, weights, None)
            except RuntimeError as error:  # other names or shapes
                raise UserError(f"{path} is of another model: {' '.join(str(error).split())[:200]}") from error
            steps[r] = step
            if not trainer.trained:
                trainer.models[r].trained = True  # type: ignore[assignment]
                trainer.step, trainer.epoch_steps = step, epoch_steps
        yield steps
    finally:
        for r, weights in last.items():
            trainer.made.load(r, weights, None)


def weights_in(trainer: TrainState, r: int, path: Path) -> tuple[dict[str, torch.Tensor], int, int]:
    """Read the weights of a replica.

    Args:
        trainer: The Trainer.
        r: Which replica.
        path: A checkpoint folder, or a file of the study's original code.

    Returns:
        The weights, the step that they are from, and the steps of an epoch.
    """
    if not trainer.world.on_main(path.is_file):
        saved = checkpoint.read_together(trainer.world, path, trainer.saver.map_location)
        return saved.weights, saved.trainer["step"], saved.trainer["epoch_steps"]

    found = semantica.read(path, trainer.saver.allow_pickle, trainer.saver.map_location)
    weights, _ = semantica.fitting(trainer.models[r], path, found)
    return weights, found.epochs * trainer.epoch_steps, trainer.epoch_steps


def place_of(source: Path, name: str) -> Path:
    """Where the weights of a run are: a file, or a checkpoint of a run, which may be one of several in a folder."""
    own = source / name
    return source if source.is_file() else checkpoint.locate(own if own.is_dir() else source)


def best_path(trainer: TrainState, r: int) -> Path | None:
    """The checkpoint of a replica's best weights, or of its last when it has not trained; None for those it has."""
    source: Path | None = trainer.saver.restorepath
    if source is not None and not trainer.trained:
        return trainer.world.on_main(partial(place_of, source, trainer.runs[r].path.name))
    run, pointers = trainer.runs[r], ("best",) if trainer.trained else ("best", "last")
    path = trainer.world.on_main(partial(checkpoint.pointed, run.checkpoints, *pointers))
    if trainer.trained or (path is not None and not run.overwrite):
        return path
    if getattr(trainer.models[r], "source", None) is None:
        but = " but what --overwrite would replace" if path else ""
        raise UserError(f"{run.checkpoints} has no checkpoint to test{but}; train first: cli train cli test")
    return None
