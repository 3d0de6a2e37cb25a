"""Data sets of the Hugging Face hub by name, streamed. Repositories that want to run code of their own are refused."""

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.text.readers import jsonl
from semeqv.text.readers.parquet import named
from semeqv.text.records import Row


def read_rows(
    name: str,
    fields: Sequence[str],
    split: str = "train",
    configuration: str | None = None,
    revision: str | None = None,
) -> Iterator[Row]:
    """Read some fields of a data set; nothing of it is kept on the disk.

    Args:
        name: The data set: `wikimedia/wikipedia`.
        fields: The fields, those in objects in objects with dots: `translation.en`.
        split: The part of it.
        configuration: Which of its configurations, if it has several: `20231101.sw`.
        revision: A commit, a branch or a tag; name a commit for results that can be repeated.

    Yields:
        A row for each example; `line` counts them from 1. A class is its name, and empty where it is not told.

    Raises:
        UserError: When the package `datasets` is missing, or the data set cannot be had or has no such field.
    """
    where = f"Data set {name!r} of the hub, split {split!r}"
    data = opened(name, configuration, split=split, revision=revision, streaming=True)
    features = getattr(data, "features", None) or {}
    names = {key: each.names for key, each in features.items() if getattr(each, "names", None)}
    stream, number = iter(data), 0
    while True:
        try:
            example = next(stream, None)
        except Exception as error:  # what a connection or a foreign file can do
            raise UserError(f"{where}, row {number + 1}: {first_line(error)}") from error
        if example is None:
            break
        number += 1
        yield Row(number, jsonl.values(named(example, names), fields, f"{where}, row {number}"))
    if not number:
        raise UserError(f"{where} is empty.")


@functools.cache
def commit(name: str, revision: str | None = None) -> str:
    """The commit that a revision of a data set is.

    Args:
        name: The data set.
        revision: A commit, a branch or a tag; the main branch if left out.

    Returns:
        40 hexadecimal digits; nobody is asked about those of a commit.

    Raises:
        UserError: When it cannot be had.
    """
    if revision and re.fullmatch("[0-9a-f]{40}", revision):
        return revision
    import huggingface_hub

    try:
        return str(huggingface_hub.dataset_info(name, revision=revision).sha)
    except Exception as error:  # no such name, no connection, ...
        said = first_line(error).rstrip(".")
        raise UserError(
            f"Data set {name!r} of the hub: {said}. Without a connection, say --revision COMMIT."
        ) from error


def opened(name: str, configuration: str | None, **options: Any) -> Any:
    """The stream of a data set.

    Args:
        name: The data set.
        configuration: Which of its configurations.
        **options: What else to tell `datasets.load_dataset`.

    Returns:
        An iterable of dictionaries.

    Raises:
        UserError: When it cannot be had.
    """
    try:
        import datasets
    except ImportError:
        raise UserError("Data sets of the hub need the package `datasets`: pip install -e '.[data]'.") from None
    if int(datasets.__version__.partition(".")[0]) < 4:  # older ones offer to run the repository's code
        raise UserError(f"datasets {datasets.__version__} is too old: pip install -e '.[data]' (4 or later).")
    try:
        return datasets.load_dataset(name, configuration, **options)
    except Exception as error:  # no such name, no connection, a script instead of data, ...
        raise UserError(f"Data set {name!r} of the hub: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
