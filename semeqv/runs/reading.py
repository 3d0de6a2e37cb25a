"""Read the files of a run back: its metrics, its facts, its arrays. A wrong file is one line for the user."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.lazy import numpy
from semeqv.runs.json_lines import read_record

METRICS = "metrics.jsonl"
LARGEST = 1e38  # numbers are not beyond it: fp32 ends there
RUN = "run.json"
RECORD = 'a JSON object such as {"epoch": 1, "accuracy": 0.5}'
LONGEST = 2**23  # bytes of a line
LOGGED = {"lebel", "time", "message"}  # the keys of a log of the original code, one of them misspelt there
NOT_FINITE = re.compile(rb":\s*-?(?:nan|inf)(?=[,}\s])")


@dataclass(frozen=True)
class Line:
    """One line of a metrics file, and where it stands."""

    path: Path
    number: int
    record: dict[str, Any]

    def number_at(self, key: str) -> float:
        """Return the number under a key; null is what a run writes for one that is not finite, and gives NaN.

        Args:
            key: The key in the line's record.

        Returns:
            The number as a float.

        Raises:
            click.UsageError: The key is missing, or holds no number or one too large for a float.
        """
        value = self.record.get(key)
        if value is None and key in self.record:
            return math.nan
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise click.UsageError(f"{self.path}, line {self.number}: {key!r} should be a number, not {value!r:.40}")
        if LARGEST < abs(value) < math.inf:
            raise click.UsageError(f"{self.path}, line {self.number}: {key!r} is too large a number")
        return float(value)


def metrics_file(path: Path) -> Path:
    """Return the metrics file that a path names: the file itself, or the one in a run folder."""
    return path / METRICS if path.is_dir() else path


def metrics_files(paths: Iterable[Path]) -> list[Path]:
    """Find the metrics files that some paths name.

    Args:
        paths: Files, folders of runs, or folders with such folders.

    Returns:
        The files, one at least for each path; one that several paths name counts once.

    Raises:
        click.UsageError: When a path names none.
    """
    found = dict[Path, Path]()
    for path in paths:
        files = [path] if path.is_file() else sorted(path.glob(METRICS)) or sorted(path.glob(f"*/{METRICS}"))
        if not files:
            raise click.UsageError(f"{path}: no {METRICS} there, nor in the folders in it; give the folder of a run")
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def read_metrics(path: Path) -> list[Line]:
    """Read a file of JSON objects, one a line, in the order of the file; blank lines are skipped.

    A last line that a running program is still writing is left out. The logs of the tied-embedding study's original
    code hold their record under `message`, and write numbers that are not finite as Python prints them.

    Args:
        path: The file.

    Returns:
        Its lines, at least one.

    Raises:
        click.UsageError: The file cannot be read or has no record, or a finished line is no JSON object.
    """
    lines = []
    try:
        with open(path, "rb") as file:
            for number in itertools.count(1):
                piece = file.readline(LONGEST + 1)
                if len(piece) > LONGEST:
                    raise click.UsageError(f"{path}, line {number}: longer than {LONGEST:,} bytes; expected {RECORD}")
                if not piece:
                    break
                if not piece.strip():
                    continue
                record = read_record(piece)
                if not isinstance(record, dict) and b'"message":{' in piece:
                    record = read_record(NOT_FINITE.sub(b":null", piece))
                if isinstance(record, dict):
                    record = logged(record)
                    lines.append(Line(path, number, record))
                elif piece.endswith(b"\n") or not piece.startswith(b"{"):
                    raise click.UsageError(f"{path}, line {number}: expected {RECORD}, {record}")
    except OSError as error:
        raise click.UsageError(f"{path}: {_reason(error)}; give a {METRICS} or the folder of a run") from None
    if not lines:
        raise click.UsageError(f"{path}: holds no record; expected on each line {RECORD}")
    return lines


def logged(record: dict[str, Any]) -> dict[str, Any]:
    """Return what a record says under `message`, where it is a line of a log; else the record."""
    message = record.get("message")
    return message if isinstance(message, dict) and record.keys() == LOGGED else record


def read_run(folder: Path) -> dict[str, Any]:
    """Read a run folder's run.json.

    Args:
        folder: The folder of the run.

    Returns:
        The JSON object; empty when there is no such file.

    Raises:
        click.UsageError: The file is there, but cannot be read or is no JSON object.
    """
    path = folder / RUN
    try:
        run = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise click.UsageError(f"{path}: {_reason(error)}") from None
    except (ValueError, RecursionError):
        raise click.UsageError(f"{path}: not a JSON file; run the experiment again, or remove the file") from None
    if not isinstance(run, dict):
        raise click.UsageError(f"{path}: expected a JSON object, found {type(run).__name__}")
    return run


def values_under(tree: object, key: str) -> Iterator[Any]:
    """Yield every value that stands under a key, at any depth, in the order of the file."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            else:
                yield from values_under(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from values_under(value, key)


def read_array(path: Path, shape: str) -> numpy.ndarray:
    """Read a .npy file of three axes, such as distances or snapshots over training.

    Args:
        path: The file.
        shape: Its axes in words, for the message: "(records, symbols, symbols)".

    Returns:
        Floating-point numbers, at least one record.

    Raises:
        click.UsageError: The file is missing, cut short, holds no numbers or too large ones, or has other axes.
    """
    try:
        array = numpy.load(path, allow_pickle=False)
    except OSError as error:
        raise click.UsageError(f"{path}: {_reason(error)}; give a .npy file of shape {shape}") from None
    except Exception:  # a damaged header fails in many ways: ValueError, EOFError, MemoryError, BadZipFile, ...
        raise click.UsageError(
            f"{path}: cut short, or not a plain .npy file of numbers; give one of shape {shape}"
        ) from None
    if not isinstance(array, numpy.ndarray) or array.dtype.kind not in "fiu":
        raise click.UsageError(f"{path}: holds no plain numbers; give a .npy file of shape {shape}")
    if array.ndim != 3 or 0 in array.shape:
        raise click.UsageError(f"{path}: has shape {array.shape}; expected {shape}, at least one record")
    array = array.astype(numpy.float64)
    if numpy.abs(array[numpy.isfinite(array)]).max(initial=0) > LARGEST:
        raise click.UsageError(f"{path}: holds numbers beyond {LARGEST:g}, which no run computes")
    return array


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return (error.strerror or str(error)).lower()
