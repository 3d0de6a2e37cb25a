"""Signals that ask a run to end: it finishes its step, saves and leaves.

A second signal ends it at once. The same request often arrives twice, from the scheduler and from the launcher; within
a second both count as one.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

import click

# 75 is EX_TEMPFAIL: try again, as when a job is requeued.
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGUSR1": 75}
GRACE = 1.0  # seconds
PR_SET_PDEATHSIG = 1  # prctl(2)


class Interrupted(SystemExit):
    """A run that ended because a signal asked for it; its code is that of the process.

    Args:
        number: The signal.
    """

    def __init__(self, number: int):
        super().__init__(CODES[signal.Signals(number).name])


class Leaving(Exception):
    """A validation that a signal has ended; what it measured does not count.

    Args:
        number: The signal.
    """

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


class Signals:
    """What has been asked by signals."""

    def __init__(self) -> None:
        self.asked, self.at = 0, 0.0

    def take(self, number: int, frame: FrameType | None) -> None:
        """Take a signal.

        Args:
            number: Its number.
            frame: Where the program is.

        Raises:
            Interrupted: When it is the second one.
        """
        if not self.asked:
            self.asked, self.at = number, time.monotonic()
            click.echo(
                f"{signal.Signals(number).name}: finishing the step and saving; a second one ends it at once.", err=True
            )
        elif time.monotonic() - self.at > GRACE:
            raise Interrupted(number)

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Listen to signals, where this is the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {name: signal.signal(signal.Signals[name], self.take) for name in CODES if hasattr(signal, name)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(signal.Signals[name], handler)


def end_with_parent(number: int, parent: int) -> None:
    """Let the kernel send this process a signal when the process that started it dies: nobody else would tell it.

    Where that is not possible (no Linux), nothing happens.

    Args:
        number: The signal.
        parent: The process that started this one; when it is dead already, the signal comes at once.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)
