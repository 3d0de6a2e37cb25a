"""Processes that begin as copies of one that has imported everything.

A process that is started from nothing takes seconds of imports before it does anything that a test asks for. A copy is
a process like any other: SIGKILL ends it at once, it has its own folder, environment, limits and streams.
"""

import multiprocessing
import os
import shlex
import socket
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.cli import main

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.preloaded"])
OF_SEVERAL = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass
class Started:
    """A sentence that is being run.

    Args:
        process: Its process.
        output: Where it writes what it says.
    """

    process: Any
    output: Path

    def poll(self):
        """Its exit code; None while it runs."""
        return self.process.exitcode

    def said(self):
        """What it has said so far."""
        return self.output.read_text(errors="replace")

    def signal(self, number):
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.process.pid, number)

    def end(self, seconds=120):
        """Wait until it has ended: the exit code, and what it said."""
        self.process.join(seconds)
        code = self.process.exitcode
        if code is None:
            self.kill()
        return code, self.said()

    def kill(self):
        """Kill it, and wait until it has ended."""
        self.process.kill()
        self.process.join()


def start(line, folder, environment=None, before: Callable[[], None] | None = None, output: str | None = None):
    """Start a sentence.

    Args:
        line: The sentence; or a function that is called in its place.
        folder: Where it runs; its cache is in there, too.
        environment: Variables of the environment.
        before: Called in its process first.
        output: The file, beside the folder, for what it says; named like the folder if left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.with_name(output or f"{folder.name}.output")
    path.write_text("")
    variables = {name: value for name, value in os.environ.items() if name not in OF_SEVERAL}
    variables |= {"SEMEQV_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    process = CONTEXT.Process(target=inside, args=(line, folder, variables | (environment or {}), path, before))
    process.start()
    return Started(process, path)


def run(line, folder, environment=None, before=None):
    """Run a sentence to its end: the exit code, and what it said."""
    return start(line, folder, environment, before).end()


def of_several(size, machines=1):
    """The variables of the environment that tell each of several processes of the others, as torchrun sets them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [shared | {"RANK": str(rank), "LOCAL_RANK": str(rank % (size // machines))} for rank in range(size)]


def inside(line, folder, environment, output, before):
    """Run a sentence in this process."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(output, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.modules["__main__"] = types.ModuleType("__main__")  # processes that it starts need not import the table's
    if before is not None:
        before()
    if callable(line):
        line()
    else:
        spoken(line)


def spoken(line):
    """Run a sentence as the command does; the process ends with its exit code."""
    main(shlex.split(line))
