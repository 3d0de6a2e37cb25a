"""Parquet files, as data sets of the Hugging Face hub are stored: fields chosen by name, classes by their names."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semeqv.engine.errors import UserError
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
    file, number = opened(path), 0
    names = class_names(file.schema_arrow.metadata)
    for batch in file.iter_batches():
        for record in batch.to_pylist():
            number += 1
            yield Row(number, jsonl.values(named(record, names), fields, f"{path}, row {number}"))


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
    return {name: each["names"] for name, each in features.items() if isinstance(each, dict) and "names" in each}


def named(record: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
    """Return a record with the names of its classes in place of their numbers; empty for -1, which is none."""
    chosen = {
        key: names[key][value] if 0 <= value < len(names[key]) else ""
        for key, value in record.items()
        if key in names and isinstance(value, int)
    }
    return {**record, **chosen} if chosen else record
