"""Files and folders that are there in whole or not at all.

What is being written lies in a folder of a unique name beside its place (`.NAME.RANDOM.tmp`) and is renamed at the end.
Its writer holds a lock on that folder as long as it lives, whichever way it ends: another process, also in another
container that shares the disk, knows by the lock whether the folder is abandoned, and removes it.
"""

import csv
import errno
import fcntl
import glob
import hashlib
import io
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from semeqv.runs.errors import UserError

OS_ERROR = re.compile(r"\(os error (\d+)\)")  # how libraries in Rust report one, in an exception of any class


def refusal(error: BaseException) -> str | None:
    """Return why the operating system refused to read or write, in a few words; None when the error is another."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    found = OS_ERROR.search(str(error))
    return os.strerror(int(found[1])) if found else None


class write_errors:
    """Tell the user in a line when the disk refuses what is written; other errors pass.

    Args:
        what: What is written.
        hint: What to say after that.
    """

    def __init__(self, what: Path | str, hint: str = ""):
        self.what, self.hint = what, hint

    def __enter__(self) -> None:
        """Begin to write."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Raise `UserError` in place of what Python, or a library, has to say of it."""
        if isinstance(error, Exception) and not isinstance(error, UserError) and (reason := refusal(error)) is not None:
            raise UserError(f"{self.what} cannot be written: {reason}.{self.hint}") from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Make a folder of a unique name beside a path, and remove it at the end, unless it was renamed.

    Args:
        path: What will be written; the folder it lies in is made if need be.

    Yields:
        The folder. `OSError` is raised when the disk refuses.

    Raises:
        NotADirectoryError: When a file is in the place of the folder that it lies in.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent)) from None
    remove_abandoned(path)
    temporary, lock = locked_folder(path)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(lock)


def locked_folder(path: Path) -> tuple[Path, int]:
    """Make a folder of a unique name beside a path, and lock it; returns it and the descriptor that holds the lock."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
        temporary.mkdir()
        try:
            lock = os.open(temporary, os.O_RDONLY)
        except FileNotFoundError:  # another process took it for abandoned before it was locked
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # the same, a moment later
            os.close(lock)
            continue
        except OSError:  # a file system without locks: nobody will take it for abandoned
            return temporary, lock
        if temporary.is_dir():
            return temporary, lock
        os.close(lock)


def remove_abandoned(path: Path) -> None:
    """Remove what processes that are no more were writing, to become a path."""
    for each in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        if each.name == f".{path.name}.old.tmp":
            continue
        try:
            lock = os.open(each, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if each.is_dir():
                shutil.rmtree(each, ignore_errors=True)
            else:
                each.unlink(missing_ok=True)
        except OSError:  # somebody is writing it, or the file system knows no locks
            pass
        finally:
            os.close(lock)


def settle(temporary: Path) -> None:
    """Give all files in a folder the mode that new files have here, and wait until they are on the disk.

    Libraries write some files (safetensors) for their owner alone.
    """
    mode = temporary.stat().st_mode & 0o666
    for each in (*temporary.rglob("*"), temporary):
        if each.is_file() and not each.is_symlink() and not each.stat().st_mode & 0o077:
            each.chmod(mode)
        sync(each)


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Write a folder in one piece: aside, synced to disk, then renamed.

    Args:
        folder: Its name at last; what is there is replaced, and stays when anything fails.

    Yields:
        The folder to write into. `OSError` is raised when the disk refuses.
    """
    folder = folder.absolute()
    old = folder.with_name(f".{folder.name}.old.tmp")
    if old.exists() and not folder.exists():  # a program was killed between the two renames
        os.replace(old, folder)
    with scratch(folder) as temporary:
        try:
            yield temporary
            settle(temporary)
            if folder.exists():
                shutil.rmtree(old, ignore_errors=True)
                os.replace(folder, old)
            os.replace(temporary, folder)
            sync(folder.parent)
        finally:
            if old.exists() and not folder.exists():
                os.replace(old, folder)
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write a file in one piece: aside, synced to disk, then renamed.

    Args:
        path: Its name at last; what is there is replaced, and stays when anything fails.

    Yields:
        The path to write to, whose name ends as that of the file does. `OSError` is raised when the disk refuses.
    """
    with scratch(path) as temporary:
        yield temporary / path.name
        settle(temporary)
        os.replace(temporary / path.name, path)


@contextmanager
def written_into(folder: Path) -> Iterator[Path]:
    """Write files into a folder that may hold others: all aside, synced to disk, then each renamed.

    Args:
        folder: The folder; it is made if need be.

    Yields:
        The folder to write into. `OSError` is raised when the disk refuses.
    """
    folder = folder.absolute()
    with scratch(folder) as temporary:
        yield temporary
        settle(temporary)
        folder.mkdir(exist_ok=True)
        for each in sorted(temporary.iterdir()):
            os.replace(each, folder / each.name)


@contextmanager
def output_folder(folder: Path) -> Iterator[Path]:
    """Write a folder that a user asked for in one piece, as `whole` does; `UserError` when the disk refuses.

    Args:
        folder: Its name at last.

    Yields:
        The folder to write into.
    """
    with write_errors(folder), whole(folder) as temporary:
        yield temporary


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


def write_text(path: Path, text: str) -> None:
    """Write a file in one piece: aside, then renamed.

    Args:
        path: The file; its folder is made if need be.
        text: All that it shall hold.

    Raises:
        UserError: When the file cannot be written.
    """
    try:
        with whole_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error


def write_csv(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write a CSV file with a column for every key.

    Args:
        path: The file; `UserError` is raised when it cannot be written.
        lines: What to write; a key that a line lacks is left empty.
    """
    text, keys = io.StringIO(), list(dict.fromkeys(key for line in lines for key in line))
    writer = csv.DictWriter(text, keys, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_text(path, text.getvalue())
    click.echo(f"wrote {path}")
