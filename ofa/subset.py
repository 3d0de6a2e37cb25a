"""A part of Glot500-c, or of another corpus with a configuration for each language, as an action."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.component import check_bounds, component
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.runs.json_lines import to_lines
from semeqv.runs.progress import Progress
from semeqv.text.readers.hub import read_rows


@component("ofa subset")
@dataclass(frozen=True, kw_only=True)
class Subset:
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
    """

    languages: tuple[str, ...]
    path: Path = Path("subset.jsonl")
    sentences: int = 10_000
    of: str = "cis-lmu/Glot500"
    field: str = "text"
    part: str = "train"
    revision: str | None = None

    def __post_init__(self) -> None:
        check_bounds(self, sentences=0)
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("--languages names one language twice.")

    def build(self) -> None:
        """Fetch the sentences."""

        fetch(self)


OFTEN = 1000  # sentences between two times that the file is surely on the disk


def fetch(options: "Subset") -> None:
    """Fetch what is missing of a part of a corpus.

    Args:
        options: Which part.

    Raises:
        UserError: When the file is of another part, or cannot be written.
    """
    begun, facts = (
        options.path.with_name(f"{options.path.name}.part"),
        options.path.with_name(f"{options.path.name}.json"),
    )
    wanted = {name: value for name, value in vars(options).items() if name != "path"}
    wanted["languages"] = list(options.languages)
    if (options.path.exists() or begun.exists()) and told(facts) != wanted:
        raise UserError(f"{options.path} is of another part of {options.of}; say another --path, or remove it.")
    if options.path.exists():
        click.echo(f"{options.path} is whole.")
        return
    write_text(facts, json.dumps(wanted, indent=2) + "\n")
    counts, last = kept(begun)
    try:
        with begun.open("a", encoding="utf-8", newline="\n") as file:
            for language in options.languages:
                start = counts[language]
                missing = options.sentences - start if options.sentences else None
                if missing == 0 or (language != last[0] and start):
                    continue
                rows = sentences(options, language, last[1] if language == last[0] else 0)
                for number, (row, text) in enumerate(Progress(islice(rows, missing), desc=language, disable=None), 1):
                    line = {"language": language, "row": row, "text": text}
                    file.write(to_lines([line]))
                    counts[language] += 1
                    if number % OFTEN == 0:
                        synced(file)
                synced(file)
                last = (language, 0)
        begun.replace(options.path)
    except OSError as error:
        raise UserError(f"{options.path} cannot be written: {error.strerror}.") from error
    said = ", ".join(f"{counts[language]:,} of {language}" for language in options.languages)
    click.echo(f"wrote {options.path}: {said}")


def sentences(options: "Subset", language: str, after: int) -> Iterator[tuple[int, str]]:
    """The sentences of a language behind a row, with the numbers of their rows."""
    rows = read_rows(options.of, [options.field], options.part, language, options.revision)
    for row in islice(rows, after, None):
        text = " ".join(row.values[0].split())
        if text:
            yield row.line, text


def kept(path: Path) -> tuple[Counter[str], tuple[str, int]]:
    """What an interrupted file holds; a last line that is not whole is cut off.

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
                said = json.loads(line)
                last = (said["language"], said["row"])
            except (ValueError, TypeError, KeyError):
                number = sum(counts.values()) + 1
                raise UserError(f"{path}, line {number}, is damaged; remove the file, to fetch it anew.") from None
            whole += len(line)
            counts[last[0]] += 1
    os.truncate(path, whole)
    return counts, last


def told(path: Path) -> Any:
    """What a file of facts says; None when it says nothing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def synced(file: Any) -> None:
    """Let what was written be on the disk."""
    file.flush()
    os.fsync(file.fileno())
