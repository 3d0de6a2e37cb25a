"""How a process ends: its exit code, and the one line that tells the user why.

0 when done, 2 after a mistake of the user or what the machine refuses (one clear line), 130 when interrupted, 141 when
nobody reads the output any more. SIGTERM, SIGHUP and SIGUSR1 end any action as an exception does, so that it removes
what it had half written, with 143, 129 and 75; training finishes its step and saves first (see `signals`).
"""

import contextlib
import errno
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from semeqv.runs import notices
from semeqv.runs.errors import UserError
from semeqv.runs.files import refusal
from semeqv.runs.signals import CODES, Interrupted

STOPPED = "SEMEQV_STOPPED"
BROKEN_PIPE, INTERRUPTED, MISTAKE = 141, 130, 2
# What a terminal would obey, but for colours and what progress bars need: moving up, clearing a line.
CONTROLS = re.compile(r"\x1b(?!\[[0-9;]*[mKA])|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
DEVICE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOMEM, errno.EMFILE}
NO_MEMORY = ("can't allocate memory", "out of memory", "unable to allocate", "size calculation overflowed")


class PlainStream:
    """A text stream that writes control characters as what they are, so that no name or text steers a terminal.

    Args:
        stream: What is written to.
    """

    def __init__(self, stream: Any):
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, its control characters escaped."""
        return int(self.stream.write(CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)))

    def __getattr__(self, name: str) -> Any:
        """Everything else is the stream's."""
        return getattr(self.stream, name)


def exit_after(work: Callable[[], Any], speak: Callable[[], None] = lambda: None) -> NoReturn:
    """Do some work, and end the process as its outcome asks for.

    Args:
        work: Returns the exit code; anything but a number is 0.
        speak: Called before an error is told.
    """
    with plain_streams(), ended_by_signals():
        sys.exit(outcome(work, speak))


def outcome(work: Callable[[], Any], speak: Callable[[], None]) -> int:
    """Do some work, tell the user of what went wrong, and return the exit code; errors of ours keep their traceback."""
    try:
        code = work()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        discard_output()
        return BROKEN_PIPE
    except Interrupted as ended:
        leave_mark()
        return int(ended.code or 0)
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        speak()
        if (message := message_of(error)) is None:
            raise
        if isinstance(error, OSError) and error.filename is None:
            discard_output()
        notices.error(message)
        return MISTAKE


def leave_mark() -> None:
    """Make the file that `$SEMEQV_STOPPED` names: a signal has ended this, and it can go on later.

    A launcher between this process and the script of a batch job (torchrun, make) hides the exit code.
    """
    if path := os.environ.get(STOPPED):
        with contextlib.suppress(OSError):
            Path(path).touch()


def message_of(error: BaseException) -> str | None:
    """Return what to tell the user of an error: one or two lines; None when it is a fault of the program."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        if error.filename is not None:  # a path too long, not theirs to write, ...
            return f"{error.filename}: {error.strerror}."
        return f"The output cannot be written: {error.strerror}." if error.errno in DEVICE else None
    return explanation(error)


def explanation(error: BaseException) -> str | None:
    """Return what an error of Python or of a library says about the machine or the line; None when it says nothing."""
    text = str(error)
    first = text.strip().partition("\n")[0][:200] or type(error).__name__
    if not isinstance(error, OSError) and (reason := refusal(error)) is not None:
        return f"A file cannot be read or written: {reason}."
    if isinstance(error, MemoryError) or any(words in text.lower() for words in NO_MEMORY):
        return f"There is not enough memory for this ({first}). Write smaller sizes or batches."
    if isinstance(error, OverflowError):
        return f"A number of the line is too large to be computed with ({first})."
    if isinstance(error, RuntimeError) and "home directory" in text:
        return "A path begins with ~ and the name of a user who has no home directory here."
    if type(error).__name__ == "PanicException":  # of a library in Rust
        return f"A library gave up ({first}). Its input or a number of the line is beyond what it can do."
    return None


def discard_output() -> None:
    """Let what is still to be written to standard output go nowhere, so that the interpreter ends without complaint."""
    with contextlib.suppress(Exception):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def plain_streams() -> Iterator[None]:
    """Let everything that is written to stdout and stderr be plain text that their encoding can say."""
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = (PlainStream(stream) for stream in before)  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let a signal that asks the process to end raise an exception, where this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    names = [name for name in CODES if name != "SIGINT" and hasattr(signal, name)]
    before = {name: signal.signal(signal.Signals[name], end) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(signal.Signals[name], handler)
