"""Files that grow while a run goes on.

They grow by appending and can be cut back to an earlier length, so that a resumed run continues the file that an
interrupted one left, and a plot can be drawn while the run is still going.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import to_lines

LIVE = 30.0  # seconds that lines wait for others, at most, while lines are added


class LineLog:
    """A file of JSON lines, never long behind its run. Its `watchers` are shown each object that is added.

    Args:
        path: Where the file is; made when the first line is written.
    """

    def __init__(self, path: Path):
        self.path, self.waiting, self.length, self.mute = path, list[str](), 0, False
        self.written = time.monotonic()
        self.watchers: list[Callable[[dict[str, Any]], None]] = []

    def append(self, line: dict[str, Any]) -> None:
        """Add one object, unless the log is mute. Numbers that are not finite become null, as JSON cannot say them."""
        if self.mute:
            return
        for watcher in self.watchers:
            watcher(line)
        self.waiting.append(to_lines([line]))
        if len(self.waiting) >= 10_000 or time.monotonic() - self.written > LIVE:
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
        self.written = time.monotonic()
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

    def append(self, array: numpy.ndarray[Any, Any]) -> None:
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

    def records(self) -> numpy.ndarray[Any, Any]:
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


def npy_header(records: int, example: numpy.ndarray[Any, Any]) -> bytes:
    """The header of a .npy file (format 1.0), always 128 bytes, so that it can be rewritten in place."""
    shape = (records, *example.shape)
    text = repr({"descr": numpy.lib.format.dtype_to_descr(example.dtype), "fortran_order": False, "shape": shape})
    return b"\x93NUMPY\x01\x00\x76\x00" + text.ljust(117).encode() + b"\n"
