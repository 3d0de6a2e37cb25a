"""Fetch a file once, and know it ever after.

What arrives grows in `NAME.part`, is resumed where a connection broke, and gets its name when it is whole. Its SHA-256
is written into `NAME.sha256.json` beside it the first time and compared from then on. Only http and https are spoken.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from semeqv.lazy import http, urllib
from semeqv.runs.errors import UserError
from semeqv.runs.files import whole_file
from semeqv.runs.progress import Progress
from semeqv.text.files import fingerprint

TIMEOUT = 60  # seconds without a byte
PIECE = 2**20  # bytes read at once
AGAIN = "what came is kept, and saying the same again goes on from there"
RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


@dataclass(frozen=True)
class Origin:
    """What is known of a file that was fetched.

    Args:
        source: The address that it came from.
        sha256: The SHA-256 of its bytes; empty of a part.
        version: What the server calls this state of it (`ETag` or `Last-Modified`); empty when it does not say.
    """

    source: str
    sha256: str = ""
    version: str = ""


def download(source: str, path: Path, sha256: str | None = None) -> Path:
    """Fetch a file, unless it is there.

    Args:
        source: The address.
        path: Where the file is to be; its folder is made if need be.
        sha256: The hash that it must have, where it is known.

    Returns:
        The path.

    Raises:
        UserError: When it cannot be had whole, or has another hash than it should; a part is kept to go on from.
    """
    if path.exists():
        check(path, sha256)
        return path
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # the processes of one run ask together: one fetches, the others wait
            if not path.exists():
                fetch(source, part, path, sha256)
        part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def fetch(source: str, part: Path, path: Path, sha256: str | None) -> None:
    """Fetch what is still missing of a part, and give it its name.

    Args:
        source: The address.
        part: The file that grows.
        path: What it becomes when it is whole.
        sha256: The hash that it must have, where it is known.

    Raises:
        UserError: When it has another hash than it should.
    """
    found, known = receive(source, part), recorded(path)
    expected = sha256 or (known and known.sha256)
    if expected and found != expected:
        part.unlink()
        beside(part).unlink()
        raise UserError(
            f"{source} gave a file with SHA-256 {found}, not {expected}; nothing was kept."
            + ("" if sha256 else f" If it was published anew, remove {beside(path)}.")
        )
    record(path, Origin(source, found))
    os.replace(part, path)
    beside(part).unlink()


def check(path: Path, sha256: str | None = None) -> None:
    """Compare a file with the hash recorded beside it, if there is one, and with one that is known.

    Args:
        path: The file.
        sha256: A hash that it must have.

    Raises:
        UserError: When it has another.
    """
    known = recorded(path)
    wanted = {each for each in (sha256, known and known.sha256) if each}
    if wanted and path.is_file() and wanted != {found := fingerprint(path)}:
        raise UserError(
            f"{path} has SHA-256 {found}, not {' or '.join(sorted(wanted - {found}))}: it was changed or damaged. "
            f"Remove it and fetch it again; or, if you changed it, remove {beside(path).name}."
        )


def receive(source: str, part: Path) -> str:
    """Fetch what is still missing of a part.

    Args:
        source: The address.
        part: The file that grows.

    Returns:
        The SHA-256 of all of it.

    Raises:
        UserError: When the server refuses, or sends less than it promised.
    """
    part.touch()
    size, begun = part.stat().st_size, None
    with contextlib.suppress(UserError):  # without a sound record the part is fetched anew
        begun = recorded(part)
    known = begun.version if begun and begun.source == source else ""
    there = max(size - 1, 0) if known else 0  # its last byte is fetched again: no server has nothing to send
    with answer(source, {"Range": f"bytes={there}-", "If-Range": known} if there else {}) as response:
        match = RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if response.status == 206 and match and int(match[1]) == there:
            whole: int | None = int(match[2])
        else:
            there, length = 0, response.headers.get("Content-Length", "")
            whole = int(length) if length.isdecimal() else None
            record(part, Origin(source, version=version(response)))
        digest = hashlib.sha256()
        with part.open("r+b") as file, bar(part, there, whole) as progress:
            while piece := file.read(min(PIECE, there - file.tell())):
                digest.update(piece)
            file.truncate(there)
            for piece in pieces(source, response):
                digest.update(piece)
                progress.update(file.write(piece))
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
    if whole is not None and size != whole:
        raise UserError(f"{source} broke off at {size:,} of {whole:,} bytes; {AGAIN}.")
    return digest.hexdigest()


def answer(source: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    """Ask a server for a file.

    Args:
        source: The address.
        headers: What to ask beside it.

    Returns:
        Its answer.

    Raises:
        UserError: When it has none, or cannot be asked.
    """
    if not source.startswith(("http://", "https://")):
        raise UserError(f"{source} is no address that begins with http:// or https://.")
    headers = {"User-Agent": "semeqv", "Accept-Encoding": "identity"} | headers
    try:
        response = opener().open(urllib.request.Request(source, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        raise UserError(f"{source}: the server says {error.code} {error.reason}.") from None
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{source} cannot be reached: {getattr(error, 'reason', error)}.") from None
    except ValueError as error:
        raise UserError(f"{source} is no address: {error}.") from None
    assert isinstance(response, http.client.HTTPResponse)
    return response


def pieces(source: str, response: http.client.HTTPResponse) -> Iterator[bytes]:
    """What a server sends.

    Args:
        source: The address, for the message.
        response: The answer.

    Yields:
        Bytes.

    Raises:
        UserError: When the connection breaks.
    """
    try:
        while piece := response.read(PIECE):
            yield piece
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{source} broke off ({error or type(error).__name__}); {AGAIN}.") from None


def version(response: http.client.HTTPResponse) -> str:
    """What a server calls this state of a file, when it promises that no byte of it will differ."""
    said = (response.headers.get(name, "") for name in ("ETag", "Last-Modified"))
    return next((each for each in said if each and not each.startswith("W/")), "")


def opener() -> urllib.request.OpenerDirector:
    """What opens addresses, and follows them, by http and https alone."""
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        director.add_handler(handler())
    return director


def bar(part: Path, there: int, whole: int | None) -> Progress:
    """A bar of bytes."""
    name = part.name.removesuffix(".part")
    return Progress(desc=name, initial=there, total=whole, unit="B", unit_scale=True, unit_divisor=1024, disable=None)


def beside(path: Path) -> Path:
    """The file that says what is known of another."""
    return path.with_name(f"{path.name}.sha256.json")


def record(path: Path, origin: Origin) -> None:
    """Write down what is known of a file, in one piece."""
    with whole_file(beside(path)) as aside:
        aside.write_text(json.dumps(asdict(origin), indent=2) + "\n", encoding="utf-8")


def recorded(path: Path) -> Origin | None:
    """What was written down of a file, if anything was.

    Args:
        path: The file.

    Returns:
        Where it came from and its hash, or None.

    Raises:
        UserError: When what stands there is something else.
    """
    if not path.name:  # the root of all folders
        return None
    note = beside(path)
    try:
        return Origin(**json.loads(note.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError):
        raise UserError(f"{note} is damaged; remove it, and the hash is recorded anew.") from None
