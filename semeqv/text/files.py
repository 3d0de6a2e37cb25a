"""Text files as they lie: plain or compressed, alone or in an archive; strictly UTF-8, one line at a time.

A line ends at a line feed and nowhere else: Python's `str.splitlines` also cuts at U+2028, U+0085 and others, after
which the two sides of a line-aligned corpus no longer fit. A byte order mark is dropped, and a carriage return before
the line feed.
"""

import bz2
import contextlib
import functools
import gzip
import hashlib
import io
import lzma
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TextIO, TypeVar

from semeqv.engine.errors import UserError
from semeqv.text.archives import is_archive, opened_member, parted

Record = TypeVar("Record")

LONGEST = 2**24  # bytes of a line
BUFFER = 2**17  # bytes taken from a decompressor at once
BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")


def lines(path: Path, longest: int = LONGEST) -> Iterator[tuple[int, str]]:
    """Read a text file line by line.

    Args:
        path: A file, plain or compressed by gzip, xz or bzip2 (whatever its name), a member of an archive
            (`corpus.zip/text.en`), or an archive that holds one text.
        longest: The most bytes that a line may have.

    Yields:
        Numbers of lines, counted from 1, and the lines without their ends.

    Raises:
        UserError: When the file cannot be read, is damaged, is not UTF-8, holds a NUL, or has too long a line.
    """
    for number, piece in enumerate(raw_lines(path, longest), 1):
        if len(piece) > longest:
            raise UserError(
                f"{path}, line {number}, byte {longest + 1}: the line is longer than {longest:,} bytes; break it up."
            )
        if (byte := piece.find(0)) >= 0:
            raise UserError(f"{path}, line {number}, byte {byte + 1}: a NUL; this is no text, or text in UTF-16.")
        try:
            text = piece.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path}, line {number}, byte {error.start + 1}: 0x{piece[error.start]:02x} is not UTF-8 here; "
                "convert the file: iconv -f ENCODING -t UTF-8."
            ) from None
        if number == 1:
            text = text.removeprefix("\ufeff")
        yield number, text.removesuffix("\n").removesuffix("\r")


def raw_lines(path: Path, longest: int) -> Iterator[bytes]:
    """The lines of a file as bytes, ends included, the first `longest + 1` bytes of one that is longer."""
    try:
        with opened(path) as file:
            while piece := file.readline(longest + 1):
                yield piece
    except UserError:
        raise
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; name a file in it.") from None
    except Exception as error:  # a damaged archive fails in many ways
        reason = getattr(error, "strerror", None)
        raise UserError(f"{path}: {reason.lower()}." if reason else f"{path} is damaged or cut short.") from None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file or a member of an archive, uncompressed; what opening and reading raise depends on the format."""
    place, member = parted(path)
    with opened_member(place, member) if is_archive(place) else place.open("rb") as stored:
        head = stored.peek(10)[:10]  # type: ignore[attr-defined]
        if head.startswith(b"\x1f\x8b"):
            yield io.BufferedReader(gzip.GzipFile(fileobj=stored), BUFFER)
        elif head.startswith(b"\xfd7zXZ\x00"):
            yield io.BufferedReader(lzma.LZMAFile(stored), BUFFER)  # type: ignore[arg-type]  # noqa: SIM115
        elif BZIP2.match(head):
            yield io.BufferedReader(bz2.BZ2File(stored), BUFFER)  # type: ignore[arg-type]
        else:
            yield stored


def some(records: Iterable[Record], path: Path, what: str) -> Iterator[Record]:
    """Pass records on, and refuse a file that has none.

    Args:
        records: What a reader found.
        path: The file, for the message.
        what: What it should hold, for the message.

    Yields:
        The records.

    Raises:
        UserError: When there is none.
    """
    found = False
    for record in records:
        found = True
        yield record
    if not found:
        raise UserError(f"{path} holds no {what}.")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """Write a text file in one piece: aside, then renamed.

    Args:
        path: The file; its folder is made if need be.

    Yields:
        The open file.

    Raises:
        UserError: When it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def one_line(text: str) -> str:
    """The same text, when `lines` would give it back as one line.

    Args:
        text: What is to be a line of a file.

    Returns:
        The text.

    Raises:
        ValueError: When it holds a line feed or a NUL, starts with a byte order mark or ends in a carriage return.
    """
    if "\n" in text or "\0" in text or text.endswith("\r") or text.startswith("\ufeff"):
        raise ValueError(f"No line of a text file can say {text!r:.60}.")
    return text


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file, of the archive that a member is in, or of all files under a folder with their names.

    Args:
        path: A file, a member of an archive, or a folder.

    Returns:
        64 hexadecimal digits.

    Raises:
        UserError: When it cannot be read.
    """
    place, _ = parted(path)
    try:
        if place.is_dir():
            whole = hashlib.sha256()
            for file in sorted(each for each in place.rglob("*") if each.is_file()):
                whole.update(f"{fingerprint(file)} {file.relative_to(place).as_posix()}\n".encode())
            return whole.hexdigest()
        status = place.stat()
        return digest(place, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or str(error)).lower()}.") from None


@functools.lru_cache(maxsize=1024)
def digest(file: Path, changed: int, size: int) -> str:
    """The SHA-256 of a file; `changed` and `size` tell one state of it from another."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
