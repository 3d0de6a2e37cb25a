"""Checkpoints: folders that are complete or absent.

A checkpoint is written aside, synced to disk, listed with SHA-256 hashes in MANIFEST.json and renamed into place; no
weight format notices a flipped bit by itself. Weights are safetensors, state is what `torch.load(weights_only=True)`
accepts, the rest is JSON: nothing is ever unpickled. Finding and verifying a checkpoint needs no torch.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semeqv.lazy import safetensors, torch
from semeqv.runs.errors import UserError
from semeqv.runs.files import sha256, whole, write_errors, write_text
from semeqv.runs.notices import warning

if TYPE_CHECKING:
    from semeqv.runs.processes import World

MANIFEST, WEIGHTS, STATE, TRAINER = "MANIFEST.json", "model.safetensors", "state.pt", "trainer.json"
SHARDS = "optimizer"  # a folder: the optimizer's state as every process holds it, when the model is in shards
INTACT = " Earlier checkpoints are intact."


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Args:
        weights: The model, name to tensor.
        state: Optimizer, scheduler and generators; None when only the weights were kept.
        trainer: Step, best value, lengths of the run's files, what defines the run.
    """

    weights: dict[str, torch.Tensor]
    state: dict[str, Any] | None
    trainer: dict[str, Any]


class Damaged(UserError):
    """A checkpoint whose files are not those that were written."""


def name_of(step: int) -> str:
    """The folder name of a step's checkpoint."""
    return f"step-{step:08d}"


def write(
    path: Path, checkpoint: Checkpoint, shards: Path | None = None, accompany: Callable[[Path], None] | None = None
) -> None:
    """Write a checkpoint folder; afterwards it is there in whole, or, if anything fails, not at all.

    Args:
        path: The folder; one that is there already is replaced.
        checkpoint: What it shall hold.
        shards: A folder of files that become part of it.
        accompany: Writes further files into a folder, for other programs.

    Raises:
        UserError: When the disk is full or the folder cannot be written.
    """
    try:
        with write_errors(f"The checkpoint {path}", INTACT), whole(path) as temporary:
            if shards:
                os.replace(shards, temporary / SHARDS)
            weights = {name: tensor.contiguous() for name, tensor in checkpoint.weights.items()}
            safetensors.torch.save_file(weights, temporary / WEIGHTS, metadata={"format": "pt"})
            if accompany:
                accompany(temporary)
            if checkpoint.state is not None:
                with open(temporary / STATE, "wb") as state:
                    torch.save(checkpoint.state, state)
            (temporary / TRAINER).write_text(json.dumps(checkpoint.trainer, indent=2) + "\n", encoding="utf-8")
            files = {
                file.relative_to(temporary).as_posix(): {"sha256": sha256(file), "bytes": file.stat().st_size}
                for file in sorted(temporary.rglob("*"))
                if file.is_file()
            }
            (temporary / MANIFEST).write_text(json.dumps({"files": files}, indent=2) + "\n", encoding="utf-8")
    except (RuntimeError, safetensors.SafetensorError) as error:  # a full disk is one of these, too
        raise UserError(f"The checkpoint {path} cannot be written: {str(error).splitlines()[0]}.{INTACT}") from error


def read(path: Path, device: str = "cpu") -> Checkpoint:
    """Read a checkpoint folder, once `verify` has found it undamaged.

    Args:
        path: The folder.
        device: Where the weights go; the state stays on the CPU.

    Returns:
        What the folder holds; its state is None when only weights were kept.

    Raises:
        Damaged: When (from `verify`) it is damaged, or its files are of another kind than this program writes.
    """
    verify(path)
    try:
        with warnings.catch_warnings(action="ignore"):
            state = torch.load(path / STATE, map_location="cpu", weights_only=True) if (path / STATE).exists() else None
        trainer = dict(json.loads((path / TRAINER).read_text(encoding="utf-8")))
        return Checkpoint(safetensors.torch.load_file(path / WEIGHTS, device=device), state, trainer)
    except Exception as error:  # each format fails in ways of its own on what this program has not written
        said = f"{type(error).__name__}: {error}".partition(". ")[0]
        raise Damaged(f"{path} is not what this program writes ({said}).") from error


def read_together(world: World, path: Path, device: str = "cpu") -> Checkpoint:
    """Read a checkpoint folder in the first process, and send it to the others: they need not see its disk.

    Args:
        world: The processes.
        path: The folder.
        device: Where the weights go.

    Returns:
        What the folder holds, in every process. `Damaged` is raised when (from `read`) it is damaged.
    """
    if world.size == 1:
        return read(path, device)

    found: list[Checkpoint] = []

    def outline() -> Checkpoint:
        found.append(read(path))
        return replace(found[0], weights={name: each.to("meta") for name, each in found[0].weights.items()})

    saved = world.on_main(outline)
    weights = (
        found[0].weights
        if found
        else {name: torch.empty_like(each, device="cpu") for name, each in saved.weights.items()}
    )
    world.broadcast(weights.values())
    return replace(saved, weights={name: each.to(device) for name, each in weights.items()})


VERIFIED: dict[Path, Any] = {}  # in which state the checkpoints were that this process has verified
SETTLED = 2 * 10**9  # nanoseconds since the last change from which on another one has another time


def verify(path: Path) -> None:
    """Compare every file of a checkpoint with its hash in the manifest; once, while sizes and times stay as they are.

    Args:
        path: The folder.

    Raises:
        Damaged: When a file differs, is missing or is not listed, or the manifest cannot be read.
    """
    try:
        state = {file: file.stat() for file in path.rglob("*") if file.is_file()}
        key = {file: (each.st_size, each.st_mtime_ns, each.st_ctime_ns, each.st_ino) for file, each in state.items()}
        if VERIFIED.get(path.resolve()) == key:
            return
        files = json.loads((path / MANIFEST).read_text(encoding="utf-8"))["files"]
        there = {file.relative_to(path).as_posix() for file in state}
        ours = {name for name in there if name in (STATE, TRAINER) or name.startswith(f"{SHARDS}/")} | {WEIGHTS}
        wrong = sorted(ours - files.keys() | files.keys() - there)
        wrong = wrong or [name for name, said in files.items() if sha256(path / name) != said["sha256"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged(f"{path} is no complete checkpoint ({type(error).__name__}: {error}).") from error
    if wrong:
        raise Damaged(f"{path / wrong[0]} is damaged: it is not the file that was written.")
    if max(each.st_ctime_ns for each in state.values()) < time.time_ns() - SETTLED:
        VERIFIED[path.resolve()] = key


def valid(folder: Path) -> Iterator[int]:
    """The steps of the undamaged resumable checkpoints in a folder, newest first; damaged ones are named."""
    for step in steps(folder):
        path = folder / name_of(step)
        try:
            verify(path)
        except Damaged as error:
            warning(f"{error} It is passed over.")
            continue
        if (path / STATE).exists():
            yield step


def steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint in a folder, damaged or not, newest first."""
    found = [path.name for path in folder.glob("step-" + 8 * "[0-9]") if path.is_dir()]
    return sorted((int(name.removeprefix("step-")) for name in found), reverse=True)


def resumable(folder: Path) -> list[int]:
    """The steps whose checkpoint is whole, not of weights alone; damaged or not, newest first."""
    return [step for step in steps(folder) if (folder / name_of(step) / STATE).exists()]


def point(folder: Path, pointer: str, step: int) -> None:
    """Let `last` or `best` name a checkpoint."""
    write_text(folder / pointer, name_of(step) + "\n")


def pointed(folder: Path, *pointers: str) -> Path | None:
    """The checkpoint that `last` or `best` names, whichever is asked for first and there."""
    for pointer in pointers:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            name = (folder / pointer).read_text(encoding="utf-8").strip()
            if re.fullmatch(r"step-\d+", name) and (folder / name).is_dir():
                return folder / name
    return None


def locate(source: Path, *pointers: str) -> Path:
    """The checkpoint folder that a path stands for.

    Args:
        source: A checkpoint folder, a run folder, or the folder `checkpoints` in one.
        *pointers: Which checkpoint of a run is wanted first; the best one, else the last, if left out.

    Returns:
        The checkpoint itself, or the one of the run.

    Raises:
        UserError: When there is none.
    """
    for folder in (source, source / "checkpoints"):
        if (folder / MANIFEST).exists():
            return folder
        if found := pointed(folder, *(pointers or ("best", "last"))):
            return found
    raise UserError(f"{source} is neither a checkpoint nor a run folder that has one.")


def remove(path: Path) -> None:
    """Remove a checkpoint; a folder half removed is no longer taken for one."""
    (path / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def clean(folder: Path) -> None:
    """Remove what interrupted writes left behind."""
    for path in folder.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
