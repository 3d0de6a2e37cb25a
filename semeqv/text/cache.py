"""The folder of what is computed once and read many times: tokenizers and tokenised corpora."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from semeqv.engine.errors import UserError

VARIABLE = "SEMEQV_CACHE"


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
    """A folder of the cache, made when it is not there; one that cannot be finished leaves nothing behind.

    Args:
        kind: What it holds, in a word.
        facts: What its contents depend on, as JSON.
        make: Writes the contents into an empty folder.

    Returns:
        The folder.

    Raises:
        UserError: When the folder cannot be written.
    """
    folder = cache_folder() / kind / key_of(facts)
    if folder.is_dir():
        return folder
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        make(temporary)
        (temporary / "made-from.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False), encoding="utf-8")
        with contextlib.suppress(OSError):  # another process was faster
            os.replace(temporary, folder)
        if not folder.is_dir():
            raise UserError(f"{folder} cannot be written: a file is in its place.")
        click.echo(f"Kept in {folder}", err=True)
        return folder
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{folder} cannot be written: {reason}. Name another place by ${VARIABLE}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
