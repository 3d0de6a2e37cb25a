"""Sentences in processes of their own, which begin as copies of one that has imported everything.

A sentence that was started from nothing would take seconds before it does anything that a fault could hit. A copy is a
process like any other: SIGKILL ends it at once, it has its own folder, environment, limits and streams.
"""

import multiprocessing
import os
import shlex
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.cli import main
from tests.faults.trials import hashes

TIMED = {"run.json", "trainer.json", "MANIFEST.json"}
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.preloaded"])


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

    def end(self, seconds=120):
        """Wait until it has ended: the exit code, and what it said."""
        self.process.join(seconds)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            self.process.join()
        return code, self.output.read_text(errors="replace")


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
    variables = {"SEMEQV_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    process = CONTEXT.Process(target=inside, args=(line, folder, variables | (environment or {}), path, before))
    process.start()
    return Started(process, path)


def run(line, folder, environment=None, before=None):
    """Run a sentence to its end: the exit code, and what it said."""
    return start(line, folder, environment, before).end()


def inside(line, folder, environment, output, before):
    """Run a sentence in this process."""
    os.chdir(folder)
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


def timed(line, folder):
    """Run a sentence to its end, and return how many seconds it took; it must succeed."""
    began = time.monotonic()
    code, said = run(line, folder)
    assert code == 0, (code, said)
    return time.monotonic() - began


def results(folder):
    """What a sentence leaves in its folder: the hash of each file, but for those that say when or how long it ran.

    Of measurements, each line counts once: a sentence that is said again measures again.
    """
    found = {name: hashed for name, hashed in hashes(folder).items() if Path(name).name not in TIMED}
    return found | {str(path.relative_to(folder)): distinct(path) for path in folder.rglob("metrics.jsonl")}


def distinct(path):
    """The lines of a file, in the order in which they first come."""
    return list(dict.fromkeys(path.read_text().splitlines()))


def leftovers(folder):
    """What was half written, and is still there."""
    return [path for pattern in (".*.tmp", "*.part", "*.part.*") for path in folder.rglob(pattern)]
