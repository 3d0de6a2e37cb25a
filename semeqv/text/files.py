"""Text files as they lie: plain or compressed, alone or in an archive; strictly UTF-8, one line at a time.

A line ends at a line feed and nowhere else: Python's `str.splitlines` also cuts at U+2028, U+0085 and others, after
which the two sides of a line-aligned corpus no longer fit. A byte order mark is dropped, and a carriage return before
the line feed.
"""

import contextlib
import functools
import hashlib
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TextIO, TypeVar

from semeqv.runs.errors import UserError
from semeqv.runs.files import whole_file
from semeqv.text.archives import chosen, is_archive, opened_member, parted, uncompressed

Record = TypeVar("Record")

LONGEST = 2**24  # bytes of a line
PIECE = 2**18  # bytes read at once
BOM = "\ufeff"


def lines(path: Path, longest: int = LONGEST) -> Iterator[tuple[int, str]]:
    """Read a text file line by line.

    Raises `UserError` when the file cannot be read, is damaged, is not UTF-8, holds a NUL, or has too long a line.

    Args:
        path: A file, plain or compressed by gzip, xz, bzip2 or zstd (whatever its name), a member of an archive
            (`corpus.zip/text.en`), or an archive that holds one text.
        longest: The most bytes that a line may have.

    Yields:
        Numbers of lines, counted from 1, and the lines without their ends.
    """
    number = 1
    for block in blocks(path, longest):
        try:
            text = block.decode("utf-8")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text or len(block) > longest:
            yield from lines_one_by_one(path, number, block, longest)
        else:
            text = text.removesuffix("\n").removesuffix("\r").replace("\r\n", "\n")
            yield from enumerate((text.removeprefix(BOM) if number == 1 else text).split("\n"), number)
        number += block.count(b"\n")


def lines_one_by_one(path: Path, first: int, block: bytes, longest: int) -> Iterator[tuple[int, str]]:
    """The lines of a block that has a fault somewhere.

    Args:
        path: The file, for the message.
        first: The number of the first line.
        block: The lines.
        longest: The most bytes that one may have.

    Yields:
        What `lines` does, up to the fault.

    Raises:
        UserError: When a line is too long, holds a NUL or is not UTF-8; its bytes are counted from 1.
    """
    for number, line in enumerate(block.removesuffix(b"\n").split(b"\n"), first):
        where = f"{path}, line {number}, byte"
        if len(line) > longest:
            raise UserError(f"{where} {longest + 1}: the line is longer than {longest:,} bytes; break it up.")
        if (byte := line.find(0)) >= 0:
            raise UserError(f"{where} {byte + 1}: a NUL; this is no text, or text in UTF-16.")
        try:
            text = line.decode("utf-8").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{where} {error.start + 1}: 0x{line[error.start]:02x} is not UTF-8 here; "
                "convert the file: iconv -f ENCODING -t UTF-8."
            ) from None
        yield number, text.removeprefix(BOM) if number == 1 else text


def blocks(path: Path, longest: int) -> Iterator[bytes]:
    """A file in blocks of whole lines, ends included, and the start of a line that is longer than `longest`."""
    rest = b""
    for piece in pieces(path):
        head, feed, tail = piece.rpartition(b"\n")
        if feed:
            yield rest + head + feed
            rest = tail
        else:
            rest += tail
        if len(rest) > longest:
            break
    if rest:
        yield rest


def pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file, as they come."""
    try:
        with opened(path) as file:
            while piece := file.read(PIECE):
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
    check_regular(place)
    with opened_member(place, member) if is_archive(place) else place.open("rb") as stored:
        yield uncompressed(stored)


def check_regular(path: Path) -> None:
    """Refuse what is neither a file nor a folder: a pipe never ends, or has nothing when it is read again.

    Args:
        path: What is to be read.

    Raises:
        UserError: When it is a pipe, a device or a socket.
    """
    with contextlib.suppress(OSError):  # what is not there is said by whoever reads it
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise UserError(
                f"{path} is a pipe or a device, which can be read only once; save it as a file and name that."
            )


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
    try:
        with whole_file(path) as aside, open(aside, "w", encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error


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
    """The SHA-256 of a file, of an archive and the name of a member, or of all files under a folder with their names.

    Args:
        path: A file, a member of an archive, or a folder.

    Returns:
        64 hexadecimal digits.

    Raises:
        UserError: When it cannot be read.
    """
    place, member = parted(path)
    check_regular(place)
    try:
        if place.is_dir():
            whole = hashlib.sha256()
            for file in sorted(each for each in place.rglob("*") if each.is_file()):
                whole.update(f"{fingerprint(file)} {file.relative_to(place).as_posix()}\n".encode())
            return whole.hexdigest()
        status = place.stat()
        found = digest(place, status.st_mtime_ns, status.st_size)
        return hashlib.sha256(f"{found} {chosen(place, member)}".encode()).hexdigest() if member else found
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or str(error)).lower()}.") from None


@functools.lru_cache(maxsize=1024)
def digest(file: Path, changed: int, size: int) -> str:
    """The SHA-256 of a file; `changed` and `size` tell one state of it from another."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
