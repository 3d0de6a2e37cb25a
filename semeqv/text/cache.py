"""The folder of what is computed once and read many times: tokenizers and tokenised corpora."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from semeqv.runs.errors import UserError
from semeqv.runs.files import scratch, settle, sha256, write_errors
from semeqv.runs.notices import warning
from semeqv.runs.processes import World

VARIABLE = "SEMEQV_CACHE"
MANIFEST = "made-from.json"


def cache_folder() -> Path:
    """The folder that `$SEMEQV_CACHE` names, else `semeqv` in the user's folder for caches."""
    if said := os.environ.get(VARIABLE):
        return Path(said).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "semeqv"


def key_of(facts: Any) -> str:
    """A name for what is made from these facts: 16 hexadecimal digits, the same for equal facts."""
    said = json.dumps(facts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def made_once(kind: str, facts: Any, make: Callable[[Path], None]) -> Path:
    """A folder of the cache, made when it is not there, by one process of those that share it.

    Args:
        kind: What it holds, in a word.
        facts: What its contents depend on, as JSON.
        make: Writes the contents into an empty folder.

    Returns:
        The folder.
    """
    return World.here().once(cache_folder(), partial(made, kind, facts, make))


def made_together(
    kind: str,
    facts: Any,
    share: Callable[[Path, int, int], None],
    make: Callable[[Path, list[Path]], None],
) -> Path:
    """A folder of the cache, made by all processes that share it when it is not there.

    Args:
        kind: What it holds, in a word.
        facts: What its contents depend on, as JSON.
        share: Writes one share of the work to a file: its path, the number of the share, how many there are.
        make: Writes the contents into an empty folder, from the files of all shares.

    Returns:
        The folder.
    """
    world, folder = World.here(), cache_folder() / kind / key_of(facts)
    leader = world.leader(cache_folder())
    members = [rank for rank, each in enumerate(world.all_gather(leader)) if each == leader]
    with contextlib.ExitStack() as stack:

        def begin() -> Path | None:
            if leader != world.rank or is_sound(folder):
                return None
            stack.enter_context(cache_errors(folder))
            return stack.enter_context(scratch(folder))

        place = world.attempt_each(begin)[leader]
        shares = [] if place is None else [place / f"share-{rank}" for rank in members]

        def work() -> None:
            if shares:
                with cache_errors(folder):
                    share(shares[members.index(world.rank)], members.index(world.rank), len(members))

        def finish() -> Path:
            if shares and leader == world.rank:
                made_anew(folder, facts, lambda temporary: make(temporary, shares))
            return folder

        world.attempt_each(work)
        return world.attempt_each(finish)[leader]


def made(kind: str, facts: Any, make: Callable[[Path], None]) -> Path:
    """The same in this process alone; what cannot be finished leaves nothing behind.

    What is there is compared with its hashes whenever it is opened, and made anew when it is damaged. `UserError` is
    raised when the folder cannot be written.
    """
    folder = cache_folder() / kind / key_of(facts)
    if not is_sound(folder):
        made_anew(folder, facts, make)
    return folder


def is_sound(folder: Path) -> bool:
    """Return whether a folder of the cache is there, and is what was written; say so when it is not."""
    if not folder.is_dir():
        return False
    if wrong := damage(folder):
        warning(f"{folder} is damaged ({wrong}); it is made anew.")
    return not wrong


def cache_errors(folder: Path) -> write_errors:
    """Tell in a line when the disk refuses what is written to a folder of the cache."""
    return write_errors(folder, f" Name another place by ${VARIABLE}.")


def made_anew(folder: Path, facts: Any, make: Callable[[Path], None]) -> None:
    """Make a folder of the cache.

    Args:
        folder: Its place; what is there is replaced when it is damaged.
        facts: What its contents depend on, as JSON.
        make: Writes the contents into an empty folder.

    Raises:
        UserError: When it cannot be written.
    """
    with cache_errors(folder), scratch(folder) as temporary:
        make(temporary)
        said = {"facts": facts, "files": hashes(temporary)}
        (temporary / MANIFEST).write_text(json.dumps(said, indent=2, ensure_ascii=False), encoding="utf-8")
        settle(temporary)
        if folder.is_dir() and damage(folder) is not None:
            with scratch(folder) as away:
                os.replace(folder, away / folder.name)
        with contextlib.suppress(OSError):  # another process was faster
            os.replace(temporary, folder)
    if not folder.is_dir():
        raise UserError(f"{folder} cannot be written: a file is in its place.")
    click.echo(f"Kept in {folder}", err=True)


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a folder but the manifest, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def damage(folder: Path) -> str | None:
    """Return what is wrong with a folder of the cache, in a few words; None when it is what was written."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        found = hashes(folder)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return f"it has no sound {MANIFEST}"
    if found == said:
        return None
    name = sorted(dict(found.items() ^ said.items()))[0]
    return f"{name} is not what was written"
