"""A part of Glot500-c, or of another corpus with a configuration for each language."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import click

from semeqv.grammar.action import AtLeast, Written, action
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.runs.json_lines import to_lines
from semeqv.runs.progress import Progress
from semeqv.text.readers.hub import read_rows

OFTEN = 1000  # sentences between two times that the file is surely on the disk


@dataclass(frozen=True)
class Subset(Written):
    """Sentences that were fetched.

    Args:
        path: The file.
        counts: Sentences by language; None when the file was whole already.
    """

    path: Path
    counts: Mapping[str, int] | None

    def show(self) -> None:
        """Print where the file is, and how many sentences were fetched."""
        if self.counts is None:
            click.echo(f"{self.path} is whole.")
            return
        listed = ", ".join(f"{count:,} of {language}" for language, count in self.counts.items())
        click.echo(f"wrote {self.path}: {listed}")


def refuse_twice(options: Any) -> None:
    """Refuse a language that is named twice; raises `ValueError`."""
    if len(set(options.languages)) < len(options.languages):
        raise ValueError("--languages names one language twice.")


@action("ofa subset", check=refuse_twice)
def fetch_subset(
    *,
    languages: tuple[str, ...],
    path: Path = Path("subset.jsonl"),
    sentences: Annotated[int, AtLeast(0)] = 10_000,
    of: str = "cis-lmu/Glot500",
    field: str = "text",
    part: str = "train",
    revision: str | None = None,
) -> Subset:
    """Fetch so many sentences of each of some languages from the hub, as they stream by, into one file.

    By default of Glot500-c (ImaniGooghari et al., 2023, arXiv 2305.12182), on which OFA and HyperOFA go on with masked
    LM. The file has a JSON object a line, `{"language": ..., "row": ..., "text": ...}`, and is read by `cli dataset
    jsonl`. What was interrupted goes on where it was; a file that is whole is left as it is. Needs `pip install
    -e '.[data]'`.

    Args:
        languages: Configurations of the data set, such as `eng_Latn swh_Latn`.
        path: The file.
        sentences: Of each language; 0 for all. Blank ones do not count.
        of: The data set.
        field: The field that holds the text.
        part: The part of it to read.
        revision: A commit, for results that can be repeated.

    Returns:
        The file, and how many sentences of each language were fetched.

    Raises:
        UserError: When the file is of another part, or cannot be written.
    """
    path = Path(path)
    begun, facts = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.json")
    wanted = {"languages": list(languages), "sentences": sentences, "of": of, "field": field, "part": part}
    wanted["revision"] = revision
    if (path.exists() or begun.exists()) and read_facts(facts) != wanted:
        raise UserError(f"{path} is of another part of {of}; say another --path, or remove it.")
    if path.exists():
        return Subset(path, None)
    write_text(facts, json.dumps(wanted, indent=2) + "\n")
    counts, last = read_part(begun)
    try:
        with begun.open("a", encoding="utf-8", newline="\n") as file:
            for language in languages:
                start = counts[language]
                missing = sentences - start if sentences else None
                if missing == 0 or (language != last[0] and start):
                    continue
                rows = read_rows(of, [field], part, language, revision)
                stream = islice(not_blank(rows, last[1] if language == last[0] else 0), missing)
                for number, (row, text) in enumerate(Progress(stream, desc=language, disable=None), 1):
                    file.write(to_lines([{"language": language, "row": row, "text": text}]))
                    counts[language] += 1
                    if number % OFTEN == 0:
                        sync(file)
                sync(file)
                last = (language, 0)
        begun.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
    return Subset(path, {language: counts[language] for language in languages})


def not_blank(rows: Any, after: int) -> Iterator[tuple[int, str]]:
    """Yield the sentences behind a row, with the numbers of their rows."""
    for row in islice(rows, after, None):
        text = " ".join(row.values[0].split())
        if text:
            yield row.line, text


def read_part(path: Path) -> tuple[Counter[str], tuple[str, int]]:
    """Count what an interrupted file holds; a last line that is not whole is cut off.

    Args:
        path: The file, if it is there.

    Returns:
        Sentences by language, and the language and the row of the last.

    Raises:
        UserError: When a line is damaged.
    """
    counts, last = Counter[str](), ("", 0)
    if not path.exists():
        return counts, last
    whole = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            try:
                sentence = json.loads(line)
                last = (sentence["language"], sentence["row"])
            except (ValueError, TypeError, KeyError):
                number = sum(counts.values()) + 1
                raise UserError(f"{path}, line {number}, is damaged; remove the file, to fetch it anew.") from None
            whole += len(line)
            counts[last[0]] += 1
    os.truncate(path, whole)
    return counts, last


def read_facts(path: Path) -> Any:
    """Read a file of facts; None when it is not there, or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def sync(file: Any) -> None:
    """Wait until what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())
