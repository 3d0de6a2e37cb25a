"""Archives as if they were folders: `corpus.zip/text.en` names a member, and nothing is unpacked."""

import contextlib
import functools
import io
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Self

from semeqv.runs.errors import UserError
from semeqv.text.compression import BUFFER, uncompressed

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
