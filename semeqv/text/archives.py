"""Archives as if they were folders: `corpus.zip/text.en` names a member, and nothing is unpacked."""

import bz2
import contextlib
import functools
import gzip
import io
import lzma
import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Self

from semeqv.runs.errors import UserError
from semeqv.runs.files import scratch

BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")


BUFFER = 2**17  # bytes taken from a decompressor at once


ZSTD = b"\x28\xb5\x2f\xfd"


def uncompressed(stored: IO[bytes]) -> IO[bytes]:
    """What a file holds, in pieces that stay small however well it was compressed.

    Args:
        stored: The file, at its start; buffered, so that one can look ahead.

    Returns:
        Its content, where gzip, xz, bzip2 or zstd has compressed it; otherwise the file itself. Damage shows when it is
        read; `zstd` raises `UserError` when nothing is installed that reads it.
    """
    head = stored.peek(10)[:10]  # type: ignore[attr-defined]
    if head.startswith(b"\x1f\x8b"):
        return io.BufferedReader(gzip.GzipFile(fileobj=stored), BUFFER)
    if head.startswith(b"\xfd7zXZ\x00"):
        return io.BufferedReader(lzma.LZMAFile(stored), BUFFER)  # type: ignore[arg-type]
    if BZIP2.match(head):
        return io.BufferedReader(bz2.BZ2File(stored), BUFFER)  # type: ignore[arg-type]
    if head.startswith(ZSTD):
        return zstd(stored)
    return stored


def zstd(stored: IO[bytes]) -> IO[bytes]:
    """Return what a file holds that zstd has compressed.

    Args:
        stored: The file, at its start.

    Returns:
        Its content.

    Raises:
        UserError: When pyarrow, which reads it, is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise UserError(
            f"{getattr(stored, 'name', 'A file')} is compressed by zstd, which pyarrow reads: pip install "
            "-e '.[data]', or unpack it (zstd -d)."
        ) from None
    return io.BufferedReader(pyarrow.CompressedInputStream(pyarrow.PythonFile(stored, "r"), "zstd"), BUFFER)


ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst")
DESCRIPTIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
LONGEST_DESCRIPTION = 2**20  # bytes
COMPRESSED = ("", ".xz", ".gz", ".bz2", ".zst")  # how a file may be stored, the first that is there being taken


def is_archive(path: Path) -> bool:
    """Whether a path is an archive on the disk."""
    return path.name.lower().endswith(ARCHIVES) and path.is_file()


def parted(path: Path) -> tuple[Path, str]:
    """Take `corpus.zip/text.en` apart.

    Args:
        path: A file, or a member of an archive.

    Returns:
        What lies on the disk, and the name of the member; the name is empty when the path leads into no archive.
    """
    for parent in path.parents:
        if is_archive(parent):
            return parent, path.relative_to(parent).as_posix()
    return path, ""


def names(place: Path) -> tuple[str, ...]:
    """The files in a folder or in an archive.

    Args:
        place: A folder, of which only the files directly in it are listed, or an archive.

    Returns:
        Their names, sorted.

    Raises:
        UserError: When it is neither, or a damaged archive.
    """
    if place.is_dir():
        return tuple(sorted(path.name for path in place.iterdir() if path.is_file()))
    if not is_archive(place):
        raise UserError(f"{place} is no folder and no archive ({', '.join(ARCHIVES)}).")
    status = place.stat()
    return members(place, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=16)
def members(archive: Path, changed: int, size: int) -> tuple[str, ...]:
    """The names of the plain files in an archive, sorted; `changed` and `size` tell one state of it from another."""
    try:
        if archive.name.lower().endswith(".zip"):
            with zipfile.ZipFile(archive) as file:
                found = [info.filename for info in file.infolist() if not info.is_dir()]
        else:
            with opened_tar(archive) as tar:
                found = [plain(info.name) for info in tar if info.isreg()]
    except UserError:
        raise
    except Exception:  # a damaged header fails in many ways
        raise UserError(f"{archive} is damaged, or no archive; fetch it again.") from None
    return tuple(sorted(found))


class Header(tarfile.TarInfo):
    """A header of a tar; the ones that carry long names are read whole, so theirs must be of a sensible size."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header; raises `tarfile.ReadError` when it says that what describes a member is huge."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in DESCRIPTIONS and header.size > LONGEST_DESCRIPTION:
            raise tarfile.ReadError("A description of a member is too long.")
        return header


@contextlib.contextmanager
def opened_tar(archive: Path) -> Iterator[tarfile.TarFile]:
    """Open a tar, compressed or not, for one pass over its members: going back would decompress it anew."""
    with (
        archive.open("rb") as stored,
        tarfile.open(fileobj=uncompressed(stored), mode="r|", bufsize=BUFFER, tarinfo=Header) as tar,
    ):
        yield tar


@contextlib.contextmanager
def opened_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Open a member of an archive to read it from its start to its end.

    Args:
        archive: The archive.
        member: Its name there; empty for the only one that there is.

    Yields:
        Its bytes, as stored.

    Raises:
        UserError: When there is no such member, or it cannot be read.
    """
    name = chosen(archive, member)
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as file:
            if file.getinfo(name).flag_bits & 1:
                raise UserError(f"{archive}/{name} is encrypted; unpack it.")
            with file.open(name) as zipped:
                yield io.BufferedReader(zipped)  # type: ignore[type-var]
    else:
        with opened_tar(archive) as tar:
            info = next(info for info in tar if info.isreg() and plain(info.name) == name)
            member_stream = tar.extractfile(info)
            assert member_stream  # plain files have one
            with member_stream:
                yield member_stream


def chosen(archive: Path, member: str) -> str:
    """The full name of a member.

    Args:
        archive: The archive.
        member: Its name, with or without the folders that it is in; empty for the only one that there is.

    Returns:
        The name as the archive has it.

    Raises:
        UserError: When none, or more than one, is meant.
    """
    there = names(archive)
    if member in there:
        return member
    fit = [name for name in there if name.endswith(f"/{member}")] if member else [name for name in there if text(name)]
    if len(fit) == 1:
        return fit[0]
    if fit:
        raise UserError(f"{archive} holds more than one file to read; name one, {f'{archive}/{fit[0]}'!r} perhaps.")
    raise UserError(f"{archive} holds no {member or 'text'!r}; it has {', '.join(map(repr, there)) or 'nothing':.300}.")


def text(name: str) -> bool:
    """Whether a member is of the corpus rather than about it."""
    path = PurePosixPath(name)
    about = path.stem.upper() in ("README", "LICENSE", "LICENCE", "COPYING", "CHANGELOG")
    return not about and not path.name.startswith(".") and "__MACOSX" not in path.parts


def find(place: Path, candidates: Iterable[str]) -> Path | None:
    """The first of several files that is in a folder or an archive, plain or compressed.

    Args:
        place: The folder or the archive; in an archive, the files may lie under further folders.
        candidates: Names, with folders perhaps.

    Returns:
        The path of the file, or None.
    """
    for candidate in candidates:
        for suffix in COMPRESSED:
            name = candidate + suffix
            if not is_archive(place):
                if (place / name).is_file():
                    return place / name
            elif fit := [member for member in names(place) if member == name or member.endswith(f"/{name}")]:
                return place / fit[0]
    return None


def plain(name: str) -> str:
    """The name of a member of a tar without the `./` that some are written with."""
    return name.removeprefix("./")


MOST_BYTES = 2**35  # of all members together
MOST_MEMBERS = 1_000_000
PIECE = 2**20  # bytes copied at once


def extract(archive: Path, folder: Path, most_bytes: int = MOST_BYTES, most_members: int = MOST_MEMBERS) -> Path:
    """Unpack a zip or a tar.

    Args:
        archive: The archive.
        folder: The folder to make; it must not be there yet.
        most_bytes: The bytes that all members together may have; they are counted as they come.
        most_members: How many members there may be.

    Returns:
        The folder. Where the archive holds one folder and nothing else, that is the one.

    Raises:
        UserError: When a member would lie outside the folder or is no plain file (a link, a device), when there is
            too much or nothing in it, or when the archive is damaged; then nothing is unpacked.
    """
    if os.path.lexists(folder):
        raise UserError(f"{folder} exists; remove it, or unpack into another folder.")
    try:
        with scratch(folder) as aside:
            left = most_bytes
            for count, (name, stream) in enumerate(contents(archive), 1):
                if count > most_members:
                    raise UserError(
                        f"{archive} has more than {most_members:,} members; unpack it yourself if you trust it."
                    )
                path = aside / inside(archive, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    while piece := stream.read(min(PIECE, left + 1)):
                        left -= len(piece)
                        if left < 0:
                            raise UserError(
                                f"{archive} holds over {most_bytes:,} bytes; unpack it yourself if you trust it."
                            )
                        file.write(piece)
            within = list(aside.iterdir())
            if not within:
                raise UserError(f"{archive} holds no file.")
            os.replace(within[0] if len(within) == 1 and within[0].is_dir() else aside, folder)
    except UserError:
        raise
    except Exception as error:  # a damaged archive fails in many ways
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged or cut short"
        raise UserError(f"{archive} cannot be unpacked: {reason.lower()}.") from error
    return folder


def contents(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The files of an archive, to be read one after the other.

    Args:
        archive: The archive.

    Yields:
        Names as the archive has them, and bytes.

    Raises:
        UserError: At a member that is neither a file nor a folder.
    """
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise UserError(f"{archive} holds a link or a device, {info.filename!r:.80}; nothing was unpacked.")
                if not info.is_dir():
                    with file.open(info) as zipped:
                        yield info.filename, zipped
        return
    with opened_tar(archive) as tar:
        for each in tar:
            if not each.isreg() and not each.isdir():
                raise UserError(f"{archive} holds a link or a device, {each.name!r:.80}; nothing was unpacked.")
            if stream := tar.extractfile(each):
                yield each.name, stream


def inside(archive: Path, name: str) -> PurePosixPath:
    """The path of a member under the folder.

    Args:
        archive: The archive, for the message.
        name: The member's name.

    Returns:
        A relative path that never leads upwards.

    Raises:
        UserError: When the name leads elsewhere.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name or ":" in path.parts[0]:
        raise UserError(f"{archive} holds {name!r:.80}, which would lie outside the folder; nothing was unpacked.")
    return path
