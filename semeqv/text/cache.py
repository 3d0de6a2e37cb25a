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

from semeqv.engine.errors import UserError
from semeqv.engine.folders import scratch, settle, sha256, write_errors
from semeqv.engine.notices import warning
from semeqv.engine.world import World

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


def made(kind: str, facts: Any, make: Callable[[Path], None]) -> Path:
    """The same in this process alone; what cannot be finished leaves nothing behind.

    What is there is compared with its hashes whenever it is opened, and made anew when it is damaged. `UserError` is
    raised when the folder cannot be written.
    """
    folder = cache_folder() / kind / key_of(facts)
    if folder.is_dir():
        wrong = damage(folder)
        if wrong is None:
            return folder
        warning(f"{folder} is damaged ({wrong}); it is made anew.")
    with write_errors(folder, f" Name another place by ${VARIABLE}."), scratch(folder) as temporary:
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
    return folder


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
