"""JSON lines: an object a line, by the package jsonlines."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semeqv.lazy import jsonlines
from semeqv.runs.files import write_text


def to_lines(records: Iterable[Any]) -> str:
    """Return the text of JSON values, one a line. Numbers that are not finite become null, as JSON has none."""
    text = io.StringIO()
    with jsonlines.Writer(text, dumps=dumped) as writer:
        writer.write_all(records)
    return text.getvalue()


def dumped(value: Any) -> str:
    """Return a value as JSON in one line, in UTF-8."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(finite(value), ensure_ascii=False)


def finite(tree: Any) -> Any:
    """Return the same JSON with null in the place of numbers that it cannot write."""
    if isinstance(tree, dict):
        return {key: finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [finite(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree


def write_lines(path: Path, records: Iterable[Any]) -> None:
    """Write JSON values to a file, one a line, in one piece; `UserError` (from `write_text`) when that fails."""
    write_text(path, to_lines(records))


def read_record(piece: bytes) -> dict[str, Any] | str:
    """Read a line of JSON.

    Args:
        piece: The line, in UTF-8.

    Returns:
        The object in it; or, when there is none, what stands there instead, in words.
    """
    try:
        record = jsonlines.Reader([piece.decode("utf-8-sig")]).read(allow_none=True)
        if isinstance(record, dict):
            return record
        wrong = ""
    except UnicodeDecodeError as error:
        wrong = f" (byte {error.start + 1} is not UTF-8)"
    except jsonlines.InvalidLineError as error:
        cause = error.__cause__
        wrong = f" (wrong at character {cause.pos + 1})" if isinstance(cause, json.JSONDecodeError) else ""
    except (ValueError, RecursionError, EOFError):  # a number of very many digits, brackets in brackets, nothing
        wrong = ""
    return f"found {piece.rstrip()[:40].decode(errors='replace')!r}{wrong}"
