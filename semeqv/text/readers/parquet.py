"""Parquet files, as data sets of the Hugging Face hub are stored: fields chosen by name, classes by their names."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.text.files import check_regular, some
from semeqv.text.readers import jsonl
from semeqv.text.records import Row


def read_rows(path: Path, fields: Sequence[str]) -> Iterator[Row]:
    """Read some fields of a file.

    Raises `UserError` when there is no row, a field is missing or no text, or (from `opened`) it is no such file.

    Args:
        path: The file.
        fields: The fields, those in structures with dots: `translation.en`.

    Yields:
        A row for each of the file; `line` counts them from 1. A class is its name, where the file names classes, and
        empty where it is -1, as the hub writes one that is not told.
    """
    yield from some(rows(path, fields), path, "row")


def rows(path: Path, fields: Sequence[str]) -> Iterator[Row]:
    """The rows of a file, of which there may be none."""
    for number, record in records(path):
        yield Row(number, jsonl.values(record, fields, f"{path}, row {number}"))


def records(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Read a file, of which a row may hold lists.

    Raises `UserError` as `opened` does.

    Args:
        path: The file.

    Yields:
        The number of each row, counted from 1, and its columns by name. A class is its name, where the file names
        classes, in lists, too.
    """
    file, number = opened(path), 0
    names = class_names(file.schema_arrow.metadata)
    for batch in file.iter_batches():
        for record in batch.to_pylist():
            number += 1
            yield number, named(record, names)


def column(record: Mapping[str, Any], names: Sequence[str], where: str) -> list[str]:
    """Return the texts of the words of a sentence.

    Args:
        record: The row of a file.
        names: What their column may be called.
        where: Where the row stands, for the message.

    Returns:
        What the first of those columns that is there lists.

    Raises:
        UserError: When there is none, or it lists other things than texts.
    """
    name = next((name for name in names if name in record), None)
    if name is None:
        raise UserError(f"{where}: no column {' or '.join(names)}; there is {', '.join(record)!s:.200}.")
    found = record[name]
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        more = "; the file does not name the classes that its numbers stand for" if numbers(found) else ""
        raise UserError(f"{where}: column {name!r} should list texts, not {found!r:.60}{more}.")
    return found


def numbers(found: Any) -> bool:
    """Whether something is a list of whole numbers."""
    return isinstance(found, list) and all(isinstance(each, int) for each in found)


def opened(path: Path) -> Any:
    """Open a Parquet file.

    Args:
        path: The file.

    Returns:
        A `pyarrow.parquet.ParquetFile`.

    Raises:
        UserError: When it is none, or pyarrow is not installed.
    """
    check_regular(path)
    try:
        from pyarrow import parquet
    except ImportError:
        raise UserError(f"{path} is read by the package `pyarrow`: pip install -e '.[data]'.") from None
    try:
        return parquet.ParquetFile(path)
    except Exception as error:  # what is missing, damaged, or no such file fails in many ways
        raise UserError(f"{path} is no Parquet file: {(str(error).splitlines() or [''])[0]:.200}") from error


def columns_of(path: Path) -> list[str]:
    """Return the names of a file's columns."""
    return list(opened(path).schema_arrow.names)


def class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """Return the names of the classes of each column that has any, as `datasets` writes them into a file."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    inner = {name: each.get("feature", each) if isinstance(each, dict) else {} for name, each in features.items()}
    return {name: each["names"] for name, each in inner.items() if isinstance(each, dict) and "names" in each}


def named(record: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
    """Return a record with the names of its classes in place of their numbers; empty for -1, which is none."""

    def name_of(key: str, value: Any) -> Any:
        if isinstance(value, list):
            return [name_of(key, each) for each in value]
        if not isinstance(value, int):
            return value
        return names[key][value] if 0 <= value < len(names[key]) else ""

    chosen = {key: name_of(key, value) for key, value in record.items() if key in names}
    return {**record, **chosen} if chosen else record
