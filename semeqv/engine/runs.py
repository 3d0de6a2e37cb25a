"""The folder of a run, and the files that grow in it.

Files grow by appending and can be cut back to an earlier length, so that a resumed run continues the file that an
interrupted one left, and a plot can be drawn while the run is still going.
"""

import contextlib
import fcntl
import json
import math
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

import numpy

from semeqv.engine.errors import UserError

PACKAGES = ("semeqv", "torch", "numpy", "transformers", "safetensors", "click")


class LineLog:
    """A file of JSON lines. Its `watchers` are shown each object that is added.

    Args:
        path: Where the file is; made when the first line is written.
    """

    def __init__(self, path: Path):
        self.path, self.waiting, self.length, self.mute = path, list[str](), 0, False
        self.watchers: list[Callable[[dict[str, Any]], None]] = []

    def append(self, line: dict[str, Any]) -> None:
        """Add one object, unless the log is mute. Numbers that are not finite become null, as JSON cannot say them."""
        if self.mute:
            return
        for watcher in self.watchers:
            watcher(line)
        try:
            text = json.dumps(line, ensure_ascii=False, allow_nan=False)
        except ValueError:
            text = json.dumps(finite(line), ensure_ascii=False)
        self.waiting.append(text + "\n")
        if len(self.waiting) >= 10_000:
            self.flush()

    def flush(self) -> int:
        """Write what waits, and return the length of the file in bytes."""
        if self.waiting:
            data = "".join(self.waiting).encode()
            with growing(self.path, self.length) as file:
                file.seek(self.length)
                file.write(data)
                file.truncate()
            self.length += len(data)
            self.waiting = []
        return self.length

    def rewind(self, length: int) -> None:
        """Cut the file back to a length in bytes."""
        self.length, self.waiting = checked_length(self.path, length), []
        if length:
            with growing(self.path, length) as file:
                file.truncate(length)

    def existing(self) -> int:
        """The length in bytes of the whole lines in the file that is there."""
        return self.path.read_bytes().rfind(b"\n") + 1 if self.path.exists() else 0

    def lines_from(self, start: int) -> list[str]:
        """The text in the file from a position in bytes on, line by line."""
        return self.path.read_bytes()[start:].decode().splitlines(keepends=True)


class ArrayLog:
    """A .npy file that grows along its first axis; readable at any moment.

    Args:
        path: Where the file is; `.npy` is added where it is missing.
    """

    def __init__(self, path: Path):
        self.path = path if path.suffix == ".npy" else path.with_name(path.name + ".npy")
        self.waiting, self.length, self.mute = list[numpy.ndarray[Any, Any]](), 0, False
        self.header: bytes | None = None

    def append(self, array: "numpy.ndarray[Any, Any]") -> None:
        """Add one record, unless the log is mute; all records have one shape and type."""
        if self.mute:
            return
        self.waiting.append(numpy.array(array, order="C"))
        if len(self.waiting) >= 200:
            self.flush()

    def flush(self) -> int:
        """Write what waits, then the header that makes it count, and return the number of records."""
        if self.waiting:
            first = self.waiting[0]
            data = b"".join(array.tobytes() for array in self.waiting)
            if self.length and npy_header(self.length, first) != self.header:
                raise UserError(f"{self.path} holds other records than these, {first.shape}; write to another path.")
            header = npy_header(self.length + len(self.waiting), first)
            with growing(self.path, self.length) as file:
                file.seek(128 + self.length * first.nbytes)
                file.write(data)
                file.truncate()
                file.seek(0)
                file.write(header)
            self.header, self.length = header, self.length + len(self.waiting)
            self.waiting = []
        return self.length

    def rewind(self, length: int) -> None:
        """Cut the file back to a number of records.

        Args:
            length: The records that stay.

        Raises:
            UserError: When the file has fewer, or (from `records`) is damaged.
        """
        self.waiting, self.length = [], length
        if length:
            if (there := self.existing()) < length:
                raise UserError(f"{self.path} holds {there} records, the checkpoint counts {length}.")
            first = self.records()[0]
            self.header = npy_header(length, first)
            with growing(self.path, length) as file:
                file.write(self.header)
                file.truncate(128 + length * first.nbytes)

    def existing(self) -> int:
        """The number of records in the file that is there."""
        return len(self.records()) if self.path.exists() else 0

    def records(self) -> "numpy.ndarray[Any, Any]":
        """The records in the file.

        Returns:
            An array that stays on the disk.

        Raises:
            UserError: When it is no file that such a log has written.
        """
        with contextlib.suppress(Exception):  # a damaged header fails in many ways
            array = numpy.load(self.path, mmap_mode="r", allow_pickle=False)
            with open(self.path, "rb") as file:
                if file.read(128) == npy_header(len(array), array[0]):
                    return array  # type: ignore[no-any-return]
        raise UserError(f"{self.path} is damaged, or not what a run has written. Start anew with --overwrite.")


class RunFolder:
    """The folder of one run: `run.json`, `metrics.jsonl`, `checkpoints/`, and what callbacks write.

    Args:
        path: The folder.
        sentence: The sentence that runs it alone, as JSON.
        overwrite: Whether to replace a run that is already there.
        mute: Whether nothing is written, as another process does.
        usual: By command of the sentence, its options that have their usual values.
    """

    def __init__(
        self,
        path: Path,
        sentence: dict[str, Any] | None = None,
        overwrite: bool = False,
        *,
        mute: bool = False,
        usual: dict[str, list[str]] | None = None,
    ):
        self.path, self.sentence, self.overwrite, self.mute = Path(path), sentence, overwrite, mute
        self.usual = usual or {}
        self.logs: dict[str, LineLog | ArrayLog] = {}
        self.metrics = self.lines(None, "metrics.jsonl")
        self.record: dict[str, Any] = {}
        self.lock: int | None = None
        self.fresh, self.before = False, 0  # when a test has opened the files: whether none was there, and how long

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.path / "checkpoints"

    def saved(self) -> dict[str, Any]:
        """The `run.json` that is in the folder, empty when there is none."""
        try:
            found = dict(json.loads((self.path / "run.json").read_text(encoding="utf-8")))
            return found if isinstance(found.get("seconds", 0.0), float | int) else {}
        except (OSError, ValueError, TypeError, RecursionError):
            return {}

    def lines(self, path: Path | None, default: str) -> LineLog:
        """A file of JSON lines at a path, or under a default name in the folder."""
        log = LineLog(path or self.path / default)
        self.keep(log)
        return log

    def arrays(self, path: Path | None, default: str) -> ArrayLog:
        """A growing array at a path, or under a default name in the folder."""
        log = ArrayLog(path or self.path / default)
        self.keep(log)
        return log

    def keep(self, log: LineLog | ArrayLog) -> None:
        """Let a log be flushed and rewound with the run.

        Args:
            log: A log of this run.

        Raises:
            UserError: When another log of the run has the same file.
        """
        name = os.path.relpath(log.path, self.path)
        if name in self.logs:
            raise UserError(f"Two callbacks would write {log.path}; give one another path.")
        self.logs[name] = log
        log.mute = self.mute

    def hold(self) -> None:
        """Keep the folder to this object, until `release`; where the file system knows no locks, nothing happens.

        Raises:
            UserError: When another one has it, or there can be no such folder.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if isinstance(error, BlockingIOError):
                os.close(lock)
                raise UserError(f"Another process is training in {self.path}. Name another --output.") from error
        self.lock = lock

    def release(self) -> None:
        """Let go of the folder; an empty one is removed."""
        if self.lock is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self.lock, fcntl.LOCK_UN)  # closing is not enough where a child process has it open too
            os.close(self.lock)
            self.lock = None
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def start(self, facts: dict[str, Any], resumed: bool, replace: bool = False) -> None:
        """Claim the folder and write `run.json`.

        Args:
            facts: What the parts of the run say of themselves.
            resumed: Whether the run goes on from a checkpoint.
            replace: Whether what an unfinished run left there may go; a finished one may only with `overwrite`.

        Raises:
            UserError: When a run is in the folder already, or a file that a callback would write exists.
        """
        replace = (replace and "seconds" not in self.saved()) or self.overwrite
        if not resumed and not replace and not self.fresh:
            if self.metrics.path.exists() or self.checkpoints.exists():
                raise UserError(
                    f"{self.path} already holds a run. Continue it with --resume (on the saver), replace it with "
                    "--overwrite (before the first `cli`), or name another --output."
                )
            if taken := [log.path for log in self.logs.values() if log.path.exists()]:
                raise UserError(f"{taken[0]} exists. Replace it with --overwrite, or write to another path.")
        if not resumed and replace and not self.fresh:
            tested = self.metrics.lines_from(self.before) if self.before else []
            for log in self.logs.values():
                log.path.unlink(missing_ok=True)
                log.rewind(0)
            self.metrics.waiting = tested
            shutil.rmtree(self.checkpoints, ignore_errors=True)
        before = self.saved() if resumed else {}
        self.record = before | {
            "sentence": self.sentence,
            "facts": facts,
            "versions": versions(),
            "started": before.get("started", time.strftime("%Y-%m-%dT%H:%M:%S%z")),
        }
        self.write()

    def finish(self, steps: int, seconds: float, **facts: Any) -> None:
        """Write to `run.json` the steps and seconds that the run took in all, and other facts unless empty."""
        self.flush()
        self.record |= {"steps": steps, "seconds": round(seconds, 3)}
        kept = {name: fact for name, fact in self.record.items() if name not in facts}  # another session said others
        self.record = kept | {name: fact for name, fact in facts.items() if fact}
        self.write()

    def write(self) -> None:
        """Write `run.json` in one piece."""
        if self.mute:
            return
        write_text(self.path / "run.json", json.dumps(self.record, indent=2, ensure_ascii=False) + "\n")

    def flush(self) -> dict[str, int]:
        """Write what waits, and return the length of each log: bytes of JSON lines, records of arrays."""
        return {name: log.flush() for name, log in self.logs.items()}

    def reopen(self) -> None:
        """Go on at the end of every file that is there."""
        if self.mute:
            return
        self.fresh = not self.checkpoints.exists() and not any(log.path.exists() for log in self.logs.values())
        self.before = self.metrics.existing()
        for log in self.logs.values():
            log.rewind(log.existing())

    def rewind(self, lengths: dict[str, int]) -> None:
        """Cut every file back to its length in a checkpoint.

        Args:
            lengths: By file, what counts of it. Others of this folder start anew.

        Raises:
            UserError: When another file, outside this folder, exists.
        """
        if self.mute:
            return
        for name, log in self.logs.items():
            if name not in lengths and name.startswith("..") and log.path.exists() and not self.overwrite:
                raise UserError(f"{log.path} exists. Replace it with --overwrite, or write to another path.")
            log.rewind(lengths.get(name, 0))


def write_text(path: Path, text: str) -> None:
    """Write a file in one piece: aside, then renamed.

    Args:
        path: The file; its folder is made if need be.
        text: All that it shall hold.

    Raises:
        UserError: When the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error


@contextlib.contextmanager
def growing(path: Path, length: int) -> Iterator[IO[bytes]]:
    """Open a file to add to it, and wait until that is on the disk.

    Args:
        path: The file; its folder is made if need be.
        length: How much of it counts; at 0 the file starts anew, empty.

    Yields:
        The open file, binary.

    Raises:
        UserError: When it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "r+b" if length else "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error


def checked_length(path: Path, length: int) -> int:
    """The length in bytes, when the file is at least as long.

    Args:
        path: The file.
        length: What a checkpoint counts on.

    Returns:
        The same length.

    Raises:
        UserError: When the file is shorter, or missing.
    """
    if length and (not path.exists() or path.stat().st_size < length):
        raise UserError(f"{path} is shorter than the checkpoint counts on; the run cannot be resumed from it.")
    return length


def npy_header(records: int, example: "numpy.ndarray[Any, Any]") -> bytes:
    """The header of a .npy file (format 1.0), always 128 bytes, so that it can be rewritten in place."""
    shape = (records, *example.shape)
    text = repr({"descr": numpy.lib.format.dtype_to_descr(example.dtype), "fortran_order": False, "shape": shape})
    return b"\x93NUMPY\x01\x00\x76\x00" + text.ljust(117).encode() + b"\n"


def finite(tree: Any) -> Any:
    """The same JSON with null in the place of numbers that it cannot write."""
    if isinstance(tree, dict):
        return {key: finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [finite(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree


def versions() -> dict[str, str]:
    """The versions of what computes."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
