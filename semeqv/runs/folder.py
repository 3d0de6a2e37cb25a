"""The folder of a run."""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.runs.logs import ArrayLog, LineLog
from semeqv.runs.versions import versions

STAMP = "%Y-%m-%dT%H:%M:%S%z"


class RunFolder:
    """The folder of one run: `run.json`, `metrics.jsonl`, `checkpoints/`, and what callbacks write.

    Args:
        path: The folder.
        sentence: The sentence that runs it alone, as JSON.
        overwrite: Whether to replace a run that is already there.
        mute: Whether nothing is written, as another process does.
        usual: By command of the sentence, its options that have their usual values.
    """

    def __init__(
        self,
        path: Path,
        sentence: dict[str, Any] | None = None,
        overwrite: bool = False,
        *,
        mute: bool = False,
        usual: dict[str, list[str]] | None = None,
    ):
        self.path, self.sentence, self.overwrite, self.mute = Path(path), sentence, overwrite, mute
        self.usual = usual or {}
        self.logs: dict[str, LineLog | ArrayLog] = {}
        self.metrics = self.lines(None, "metrics.jsonl")
        self.record: dict[str, Any] = {}
        self.lock: int | None = None
        self.fresh, self.before = False, 0  # when a test has opened the files: whether none was there, and how long

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.path / "checkpoints"

    def saved(self) -> dict[str, Any]:
        """The `run.json` that is in the folder, empty when there is none."""
        try:
            found = dict(json.loads((self.path / "run.json").read_text(encoding="utf-8")))
            return found if isinstance(found.get("seconds", 0.0), float | int) else {}
        except (OSError, ValueError, TypeError, RecursionError):
            return {}

    def lines(self, path: Path | None, default: str) -> LineLog:
        """A file of JSON lines at a path, or under a default name in the folder."""
        log = LineLog(path or self.path / default)
        self.keep(log)
        return log

    def arrays(self, path: Path | None, default: str) -> ArrayLog:
        """A growing array at a path, or under a default name in the folder."""
        log = ArrayLog(path or self.path / default)
        self.keep(log)
        return log

    def keep(self, log: LineLog | ArrayLog) -> None:
        """Let a log be flushed and rewound with the run.

        Args:
            log: A log of this run.

        Raises:
            UserError: When another log of the run has the same file.
        """
        name = os.path.relpath(log.path, self.path)
        if name in self.logs:
            raise UserError(f"Two callbacks would write {log.path}; give one another path.")
        self.logs[name] = log
        log.mute = self.mute

    def hold(self) -> None:
        """Keep the folder to this object, until `release`; where the file system knows no locks, nothing happens.

        Raises:
            UserError: When another one has it, or there can be no such folder.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if isinstance(error, BlockingIOError):
                os.close(lock)
                raise UserError(f"Another process is training in {self.path}. Name another --output.") from error
        self.lock = lock

    def release(self) -> None:
        """Let go of the folder; an empty one is removed."""
        if self.lock is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self.lock, fcntl.LOCK_UN)  # closing is not enough where a child process has it open too
            os.close(self.lock)
            self.lock = None
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def start(self, facts: dict[str, Any], resumed: bool, replace: bool = False) -> None:
        """Claim the folder and write `run.json`.

        Args:
            facts: What the parts of the run say of themselves.
            resumed: Whether the run goes on from a checkpoint.
            replace: Whether what an unfinished run left there may go; a finished one may only with `overwrite`.

        Raises:
            UserError: When a run is in the folder already, or a file that a callback would write exists.
        """
        replace = (replace and "seconds" not in self.saved()) or self.overwrite
        if not resumed and not replace and not self.fresh:
            if self.metrics.path.exists() or self.checkpoints.exists():
                raise UserError(
                    f"{self.path} already holds a run. Continue it with --resume (on the saver), replace it with "
                    "--overwrite (before the first `cli`), or name another --output."
                )
            if taken := [log.path for log in self.logs.values() if log.path.exists()]:
                raise UserError(f"{taken[0]} exists. Replace it with --overwrite, or write to another path.")
        if not resumed and replace and not self.fresh:
            tested = self.metrics.lines_from(self.before) if self.before else []
            for log in self.logs.values():
                log.path.unlink(missing_ok=True)
                log.rewind(0)
            self.metrics.waiting = tested
            shutil.rmtree(self.checkpoints, ignore_errors=True)
        before = self.saved() if resumed else {}
        self.record = before | {
            "sentence": self.sentence,
            "facts": facts,
            "versions": versions(),
            "started": before.get("started", time.strftime(STAMP)),
        }
        self.write()

    def measure(self, facts: dict[str, Any]) -> None:
        """Write `run.json` for what is measured without training, once.

        What a training has left here stays as it is; the lines of earlier measurements go when the run is to overwrite.

        Args:
            facts: What the parts of the run say of themselves.
        """
        if self.mute or self.record:
            return
        self.record = self.saved()
        if self.checkpoints.exists() or self.record.get("trained", bool(self.record)):
            return
        if self.overwrite:
            self.metrics.path.unlink(missing_ok=True)
            self.reopen()
        said = {"sentence": self.sentence, "facts": facts, "versions": versions()}
        self.record = said | {"started": time.strftime(STAMP), "trained": False}
        self.write()

    def finish(self, steps: int, seconds: float, **facts: Any) -> None:
        """Write to `run.json` the steps and seconds that the run took in all, and other facts unless empty."""
        self.flush()
        self.record |= {"steps": steps, "seconds": round(seconds, 3)}
        kept = {name: fact for name, fact in self.record.items() if name not in facts}  # another session said others
        self.record = kept | {name: fact for name, fact in facts.items() if fact}
        self.write()

    def write(self) -> None:
        """Write `run.json` in one piece."""
        if self.mute:
            return
        write_text(self.path / "run.json", json.dumps(self.record, indent=2, ensure_ascii=False) + "\n")

    def flush(self) -> dict[str, int]:
        """Write what waits, and return the length of each log: bytes of JSON lines, records of arrays."""
        return {name: log.flush() for name, log in self.logs.items()}

    def reopen(self) -> None:
        """Go on at the end of every file that is there."""
        if self.mute:
            return
        self.fresh = not self.checkpoints.exists() and not any(log.path.exists() for log in self.logs.values())
        self.before = self.metrics.existing()
        for log in self.logs.values():
            log.rewind(log.existing())

    def rewind(self, lengths: dict[str, int]) -> None:
        """Cut every file back to its length in a checkpoint.

        Args:
            lengths: By file, what counts of it. Others of this folder start anew.

        Raises:
            UserError: When another file, outside this folder, exists.
        """
        if self.mute:
            return
        for name, log in self.logs.items():
            if name not in lengths and name.startswith("..") and log.path.exists() and not self.overwrite:
                raise UserError(f"{log.path} exists. Replace it with --overwrite, or write to another path.")
            length = lengths.get(name, 0)
            measured = self.measurements(length) if log is self.metrics else []
            log.rewind(length)
            if measured:
                self.metrics.waiting = measured
                self.metrics.flush()

    def measurements(self, start: int) -> list[str]:
        """Return the lines of metrics.jsonl from a position in bytes on that no training has written.

        What was measured of the model stays when the run goes back to an earlier step. The lines of a Trainer say
        epoch and step.
        """
        if not self.metrics.path.exists():
            return []
        found = []
        for line in self.metrics.lines_from(start):
            with contextlib.suppress(ValueError):  # cut short when the machine failed
                if line.endswith("\n") and not {"epoch", "step"} <= json.loads(line).keys():
                    found.append(line)
        return found


def facts_of(sets: Mapping[tuple[str, str | None], Any]) -> dict[str, Any]:
    """What data sets say of themselves, by split and name.

    Args:
        sets: Data sets; one may say nothing.

    Returns:
        Their facts, under keys such as `train` and `test/ewt`.
    """
    return {"/".join(filter(None, key)): each.facts() for key, each in sets.items() if hasattr(each, "facts")}
