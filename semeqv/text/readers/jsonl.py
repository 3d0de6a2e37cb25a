"""JSON lines: an object a line, fields chosen by name."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import read_record
from semeqv.text.files import lines, some
from semeqv.text.records import Row

EXACT = 2**53  # floats below tell all whole numbers apart


def read_rows(path: Path, fields: Sequence[str]) -> Iterator[Row]:
    """Read some fields of a file of JSON objects.

    Raises `UserError` when there is none, a line is no JSON object, or a field is missing or no text.

    Args:
        path: The file.
        fields: The fields, those in objects in objects with dots: `translation.en`.

    Yields:
        A row for each line that is not blank; truth values as JSON writes them, numbers too, but 1.0 as 1.
    """
    yield from some(rows(path, fields), path, "JSON object")


def rows(path: Path, fields: Sequence[str]) -> Iterator[Row]:
    """The rows of a file, of which there may be none."""
    for number, record in objects(path):
        yield Row(number, values(record, fields, f"{path}, line {number}"))


def read_texts(path: Path) -> Iterator[Mapping[str, str]]:
    """Read all fields of a file of JSON objects whose fields are texts.

    Raises `UserError` when there is none, a line is no JSON object, or a field is no text.

    Args:
        path: The file.

    Yields:
        The fields of each line that has any; they are not blank.
    """
    yield from some(texts(path), path, "JSON object that says something")


def texts(path: Path) -> Iterator[Mapping[str, str]]:
    """The texts of a file, of which there may be none."""
    for number, record in objects(path):
        where = f"{path}, line {number}"
        said = {name: values({"text": text}, ["text"], f"{where}, {name!r}")[0] for name, text in record.items()}
        if kept := {name: text for name, text in said.items() if text.strip()}:
            yield kept


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file, and the number of the line of each.

    Args:
        path: The file.

    Yields:
        The number and the object.

    Raises:
        UserError: When a line is no JSON object.
    """
    for number, text in lines(path):
        if text.strip():
            record = read_record(text.encode())
            if not isinstance(record, dict):
                raise UserError(f"{path}, line {number}: expected a JSON object, {record}.")
            yield number, record


def values(record: Mapping[str, Any], fields: Sequence[str], where: str) -> tuple[str, ...]:
    """The texts in an object.

    Args:
        record: The object.
        fields: The fields to take.
        where: Where the object stands, for the message.

    Returns:
        A text for each field.

    Raises:
        UserError: When a field is missing, or holds no text.
    """
    found = []
    for field in fields:
        value = under(record, field)
        if value is None:
            there = ", ".join(map(repr, record))
            raise UserError(f"{where}: no field {field!r}, or null; the object has {there or 'none'!s:.200}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(
                f"{where}: field {field!r} is {value}, which is no text and no number; leave the object out."
            )
        if isinstance(value, bool | int | float):
            value = str(value).lower() if isinstance(value, bool) else written(value)
        if not isinstance(value, str) or "\0" in value or not encodable(value):
            raise UserError(f"{where}: field {field!r} should be text, not {value!r:.40}.")
        found.append(value)
    return tuple(found)


def written(value: float) -> str:
    """Write a number: 1 and 1.0, which JSON does not tell apart, alike."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < EXACT else str(value)


def under(record: Any, field: str) -> Any:
    """What stands under `translation.en`: under that very key, or under `en` in what stands under `translation`."""
    if not isinstance(record, Mapping) or field in record:
        return record[field] if isinstance(record, Mapping) else None
    first, dot, rest = field.partition(".")
    return under(record[first], rest) if dot and first in record else None


def encodable(text: str) -> bool:
    """Whether a text has a spelling in UTF-8; JSON can also say halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
