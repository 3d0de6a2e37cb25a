"""What the rows of the table share: starting the run that faults are tried on, and judging what is left of it."""

import hashlib
import random
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from semeqv.runs import checkpoint
from tests import copies
from tests.faults import training_subject


@dataclass
class Row:
    """A row of the table.

    Args:
        fault: Its number in the list of faults, and what is done.
        passes: What counts as survived.
        survived: How many tries did.
        tried: How many there were.
        failures: What was seen of those that did not.
        notes: What else was counted.
    """

    fault: str
    passes: str
    survived: int = 0
    tried: int = 0
    failures: list[str] = field(default_factory=list)
    notes: str = ""

    def count(self, survived, seen=""):
        """Count a try."""
        self.tried += 1
        self.survived += bool(survived)
        if not survived:
            self.failures.append(str(seen)[-600:])


@contextmanager
def workplace():
    """A folder with a data file in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data.bin").write_bytes(random.Random(0).randbytes(5000))
        yield folder


def start(folder, name, *more, before=None):
    """Start the run, whose folder is called so."""
    words = [str(folder / name), "--data", str(folder / "data.bin"), *map(str, more)]
    return copies.start(
        partial(training_subject.main, words), folder / "place", before=before, output=f"{Path(name).name}.output"
    )


def run(folder, name, *more, before=None):
    """Run it to its end: the exit code, and what it said."""
    return start(folder, name, *more, before=before).end(300)


def digest(path):
    """The last weights and state, and all that was measured, as hashes."""
    last = checkpoint.pointed(path / "checkpoints", "last")
    files = [last / "model.safetensors", path / "metrics.jsonl", path / "checkpoints/best"]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def hashes(folder):
    """The SHA-256 of every file in a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def temporaries(path):
    """What an interrupted save has left."""
    return list((path / "checkpoints").glob(".*"))


def wait(condition, process, seconds=60):
    """Wait until something holds, or the process has ended; returns whether it holds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        if process.poll() is not None:
            return bool(condition())
        time.sleep(0.0005)
    raise TimeoutError
