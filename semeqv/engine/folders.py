"""Folders that are there in whole or not at all."""

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semeqv.engine.errors import UserError


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Write a folder in one piece: aside, synced to disk, then renamed.

    Args:
        folder: Its name at last; what is there is replaced, and stays when anything fails.

    Yields:
        The folder to write into. `OSError` is raised when the disk refuses.
    """
    folder = folder.absolute()
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    old = folder.with_name(f".{folder.name}.old.tmp")
    try:
        if old.exists() and not folder.exists():  # a program was killed between the two renames
            os.replace(old, folder)
        remove_abandoned(folder)
        temporary.mkdir(parents=True)
        yield temporary
        for file in (*temporary.rglob("*"), temporary):
            sync(file)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            os.replace(folder, old)
        os.replace(temporary, folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        shutil.rmtree(old, ignore_errors=True)


def remove_abandoned(folder: Path) -> None:
    """Remove what programs that are no more were writing, to become a folder."""
    for path in folder.parent.glob(f".{glob.escape(folder.name)}.*.tmp"):
        writer = path.name.removesuffix(".tmp").rpartition(".")[2]
        if writer.isdecimal() and (int(writer) == os.getpid() or not Path("/proc", writer).exists()):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def output_folder(folder: Path) -> Iterator[Path]:
    """Write a folder that a user asked for in one piece, as `whole` does.

    Args:
        folder: Its name at last.

    Yields:
        The folder to write into.

    Raises:
        UserError: When the disk refuses.
    """
    from safetensors import SafetensorError

    try:
        with whole(folder) as temporary:
            yield temporary
    except (OSError, SafetensorError) as error:  # a full disk is either
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{folder} cannot be written: {reason}.") from error


def refuse_existing(folder: Path, overwrite: bool | None = None, marker: str | None = None) -> None:
    """Refuse to write where something is.

    Args:
        folder: Where to.
        overwrite: Whether it may be replaced; None where it never may.
        marker: The file that a folder of this kind has; one without it is not replaced.

    Raises:
        UserError: When it may not.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if overwrite is None:
        raise UserError(f"--output {folder} is there already; say another --output.")
    if not overwrite:
        raise UserError(f"--output {folder} is there already; say --overwrite, or another --output.")
    if marker is not None and not (folder / marker).is_file():
        raise UserError(
            f"--output {folder} was not written by this program, and is not replaced; say another --output."
        )
