"""Where the files of a corpus are: at `--path`, or under `$SEMEQV_DATA`."""

import fcntl
import os
import re
from collections.abc import Sequence
from pathlib import Path

from semeqv.runs.errors import UserError
from semeqv.text.archives import ARCHIVES, COMPRESSED, extract, find, is_archive, names, parted
from semeqv.text.download import check, download, recorded
from semeqv.text.files import check_regular

VARIABLE = "SEMEQV_DATA"


def data_folder() -> Path | None:
    """The folder that `$SEMEQV_DATA` names, if it is set."""
    said = os.environ.get(VARIABLE)
    return Path(said).expanduser() if said else None


def locate(name: str, path: Path | None = None, source: str = "", fetch: bool = False) -> Path:
    """Find a file or a folder of a corpus, in whatever way it is compressed or packed.

    A file that was downloaded is compared with the hash that was recorded then; `check` and `fetched` raise `UserError`
    too.

    Args:
        name: Where it lies under `$SEMEQV_DATA`: `europarl/europarl-v7.fr-en.train.en`.
        path: Where the user says that it is; what is not there is looked for under `$SEMEQV_DATA`.
        source: The address to fetch it from, or to name when it is missing.
        fetch: Whether to download what is missing.

    Returns:
        A path that exists, or a member of an archive that exists.

    Raises:
        UserError: When it is nowhere.
    """
    folder, wanted = data_folder(), Path(name) if path is None else path.expanduser()
    if path is not None and wanted.name in ("", ".."):  # `.` has no name, which what lies beside a file is called by
        wanted = Path(os.path.abspath(wanted))
    places = [wanted] if path is not None else []
    if folder and not wanted.is_absolute():
        places.append(folder / wanted)
    for place in places:
        if found := stored(place):
            check_regular(parted(found)[0])
            check(parted(found)[0])
            fresh = fetch and found != place and is_archive(found) and recorded(found)
            return unpacked(found, place) if fresh else found  # another process may be about to unpack it
    if fetch and source and places:
        return fetched(source, places[0])
    where = " or ".join(map(str, places)) or f"{name}, in a folder that {VARIABLE} names"
    how = f"fetch it from {source} and put it there, or let --download do so" if source else "put it there"
    raise UserError(f"{name if path is None else wanted} is missing: {how} ({where}), or say where it is with --path.")


def fetched(source: str, path: Path) -> Path:
    """Download a file; or an archive, and unpack it where `path` is neither an archive nor in one.

    Raises `UserError` when it cannot be had, or not be unpacked; the archive stays beside the folder.

    Args:
        source: The address.
        path: What is wanted: a file; an archive or a member of one; the folder to unpack an archive into.

    Returns:
        The path, with the ending of a compressed file where the address has one.
    """
    for place in (path, *path.parents):
        if place.name.lower().endswith(ARCHIVES):
            download(source, place)
            return path
    address = re.split("[?#]", source.lower())[0]
    ending = next((each for each in (*ARCHIVES, *COMPRESSED[1:]) if address.endswith(each)), "")
    file = download(source, path if path.name.lower().endswith(ending) else path.with_name(path.name + ending))
    return unpacked(file, path) if ending in ARCHIVES else file


def unpacked(archive: Path, folder: Path) -> Path:
    """The folder that an archive is unpacked into; of the processes that ask together, one does it.

    Args:
        archive: The archive, which was fetched.
        folder: The folder.

    Returns:
        The folder.

    Raises:
        UserError: When it cannot be made.
    """
    try:
        with archive.open("r+b") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            return folder if folder.exists() else extract(archive, folder)
    except OSError as error:
        raise UserError(f"{archive} cannot be unpacked: {error.strerror}.") from error


def stored(path: Path) -> Path | None:
    """The path itself, or with the ending of a compressed file or an archive, whichever is there."""
    for suffix in (*COMPRESSED, *ARCHIVES):
        candidate = path.with_name(path.name + suffix) if path.name else path
        if candidate.exists():
            return candidate
    archive, member = parted(path)
    return path if is_archive(archive) and any(f"/{name}".endswith(f"/{member}") for name in names(archive)) else None


def plain_sides(name: str, languages: Sequence[str]) -> Path | None:
    """Return the folder of a corpus under `$SEMEQV_DATA` whose files are called by languages: `en.txt`, `en.txt.0`.

    Args:
        name: The folder.
        languages: All of them must be there.

    Returns:
        The folder; None when there is none, or it holds the corpus in another way.
    """
    folder = (data_folder() or Path()) / name
    there = names(folder) if data_folder() and folder.is_dir() else ()
    held = all(any(file == f"{each}.txt" or file.startswith(f"{each}.txt.") for file in there) for each in languages)
    return folder if held else None


def locate_sides(
    names: Sequence[str], languages: Sequence[str], path: Path | None = None, source: str = "", fetch: bool = False
) -> Path:
    """Find line-aligned files, one for each language; raises as `locate` does.

    Args:
        names: What their names may have in common, under `$SEMEQV_DATA`: `europarl/europarl-v7.fr-en.train`. The last
            may also be a folder or an archive, and is what is fetched.
        languages: The endings of their names.
        path: What their names have in common, or the folder or archive, as the user says it.
        source: The address to fetch them from, or to name when they are missing.
        fetch: Whether to download what is missing.

    Returns:
        What the names have in common, or the folder or archive that holds them.
    """
    folder = data_folder()
    places = [path.expanduser()] if path is not None else []
    if folder:
        places += [folder / name for name in ([str(path)] if path is not None else names)]
    for place in places:
        if all(find(place.parent, [f"{place.name}.{language}"]) for language in languages):
            return place
    return locate(names[-1], path, source, fetch)
