"""Sentences that faults are tried on: how long one takes, and what it leaves."""

import time
from pathlib import Path

from tests.copies import run, start
from tests.faults.trials import hashes

__all__ = ["distinct", "leftovers", "results", "run", "start", "timed"]
TIMED = {"run.json", "trainer.json", "MANIFEST.json"}


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
