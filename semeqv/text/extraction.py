"""Unpack an archive into a folder of its own, and nothing outside it: all of it, or nothing."""

import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from semeqv.runs.errors import UserError
from semeqv.runs.files import scratch
from semeqv.text.archives import opened_tar

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
