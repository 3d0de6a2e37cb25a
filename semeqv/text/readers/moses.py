"""Line-aligned files, one a language, as Moses and OPUS have them: line 17 of each says the same."""

import contextlib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from semeqv.runs.errors import UserError
from semeqv.text.archives import COMPRESSED, find, is_archive, names
from semeqv.text.files import lines, one_line, some, writing
from semeqv.text.records import Aligned

END = (0, "")
PART = re.compile(r"([\w-]+)\.txt\.(\d+)(?:\.\w+)?")


def read_aligned(path: Path, languages: Sequence[str], empty: Literal["keep", "skip"] = "skip") -> Iterator[Aligned]:
    """Read a corpus of line-aligned files.

    Raises `UserError` when a file is missing, the files have different numbers of lines, or they say nothing.

    Args:
        path: What the names of the files have in common (`corpus/europarl.fr-en.train`, for `.fr` and `.en`), or a
            folder or an archive that holds one file for each language, as the archives of OPUS do, `en.txt`, or its
            parts, `en.txt.0`, `en.txt.1`.
        languages: The endings of their names.
        empty: What becomes of lines that are blank in some language.

    Yields:
        What each line says in each language, blanks around it off.
    """
    for files in side_parts(path, languages):
        yield from read_files(files, empty)


def read_files(files: Mapping[str, Path], empty: Literal["keep", "skip"] = "skip") -> Iterator[Aligned]:
    """Read line-aligned files together, whatever their names.

    Args:
        files: The file of each language.
        empty: What becomes of lines that are blank in some language.

    Yields:
        What each line says in each language, blanks around it off.

    Raises:
        UserError: When there is no file, or the files have different numbers of lines, or they say nothing.
    """
    if not files:
        raise UserError("Say which languages of the line-aligned files to read.")
    yield from some(pairs(files, empty), next(iter(files.values())), "line that says something in every language")


def side_parts(path: Path, languages: Sequence[str]) -> list[dict[str, Path]]:
    """Return the files of a corpus that may lie in parts, `en.txt.0` and `en.txt.1` in a folder.

    Args:
        path: As of `sides`.
        languages: The languages.

    Returns:
        The file of each language, part by part.

    Raises:
        UserError: When a file is missing, several fit, or a language lacks a part that another has.
    """
    if not path.is_dir():
        return [sides(path, languages)]
    found = dict[str, dict[int, Path]]()
    for language in languages:
        matches = ((PART.fullmatch(name), name) for name in names(path))
        found[language] = {int(match[2]): path / name for match, name in matches if match and match[1] == language}
    if not any(found.values()):
        return [sides(path, languages)]
    every = sorted(set().union(*found.values()))
    for language, parts in found.items():
        if missing := [number for number in every if number not in parts]:
            raise UserError(f"{path} has no {language}.txt.{missing[0]}, a part that another language has.")
    return [{language: parts[number] for language, parts in found.items()} for number in every]


def sides(path: Path, languages: Sequence[str]) -> dict[str, Path]:
    """The files of a corpus.

    Args:
        path: What their names have in common, or a folder or an archive.
        languages: The endings of their names.

    Returns:
        The file of each language.

    Raises:
        UserError: When a file is missing, or several fit.
    """
    found = {}
    for language in languages:
        fit = fitting(path, language)
        if len(fit) != 1:
            where = f"{path}/*.{language}" if path.is_dir() or is_archive(path) else f"{path}.{language}"
            raise UserError(
                f"{where} is {'several files' if fit else 'missing'}, for a language of line-aligned files."
            )
        found[language] = fit[0]
    return found


def fitting(path: Path, language: str) -> list[Path]:
    """The files of a corpus, as for `sides`, that may be those of a language."""
    if path.is_dir() or is_archive(path):
        marked = (f".{language}", f"/{language}", f"/{language}.txt")
        endings = tuple(f"{name}{suffix}" for name in marked for suffix in COMPRESSED)
        return [path / name for name in names(path) if f"/{name}".endswith(endings)]
    file = find(path.parent, [f"{path.name}.{language}"])
    return [file] if file else []


def pairs(files: Mapping[str, Path], empty: Literal["keep", "skip"]) -> Iterator[Aligned]:
    """The lines of line-aligned files, of which there may be none."""
    streams = [lines(path) for path in files.values()]
    for row in itertools.zip_longest(*streams, fillvalue=END):
        if END in row:
            raise UserError(uneven(files, streams, row))
        said = [text.strip(" \t") for _, text in row]
        if empty == "keep" or all(said):
            yield Aligned(dict(zip(files, said)))


def uneven(
    files: Mapping[str, Path], streams: Sequence[Iterator[tuple[int, str]]], row: Sequence[tuple[int, str]]
) -> str:
    """Say how many lines each file has, `row` being the first that not all of them have."""
    longest = max(number for number, _ in row)
    counts = [number + sum(1 for _ in stream) if number else longest - 1 for stream, (number, _) in zip(streams, row)]
    said = ", ".join(f"{path} has {count:,}" for path, count in zip(files.values(), counts))
    return f"Line-aligned files have as many lines as each other, but {said}."


def write_aligned(prefix: Path, pairs: Iterable[Aligned], languages: Sequence[str]) -> dict[str, Path]:
    """Write line-aligned files, `prefix.en` and so on.

    Raises `UserError` when one cannot be written, or (`ValueError`, from `one_line`) a sentence is no line of text.

    Args:
        prefix: What the names of the files have in common.
        pairs: What to write.
        languages: The languages, a file each.

    Returns:
        The file of each language.
    """
    files = {language: prefix.with_name(f"{prefix.name}.{language}") for language in languages}
    with contextlib.ExitStack() as stack:
        streams = {language: stack.enter_context(writing(path)) for language, path in files.items()}
        for pair in pairs:
            for language, stream in streams.items():
                stream.write(one_line(pair.sentences[language]) + "\n")
    return files
