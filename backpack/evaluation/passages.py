"""Passages without their last words."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backpack.evaluation.word_shape import shape
from semeqv.engine.errors import UserError
from semeqv.text.files import lines
from semeqv.text.location import locate

LAST = re.compile(r"^(.*\S)\s+(\S+)\s*$", re.DOTALL)


@dataclass(frozen=True)
class Passage:
    """A text, and the word that ends it.

    Args:
        context: All before the word, without the blank between.
        word: The word, without marks around it.
        language: Its language; empty when it is not said.
    """

    context: str
    word: str
    language: str = ""


def passages(texts: Iterable[tuple[str, str]], words: int) -> Iterator[Passage]:
    """Part texts before their last word.

    Args:
        texts: Texts, and their languages.
        words: Words that a text must have.

    Yields:
        A passage for each text that has so many words and ends with one: marks behind it do not count, and a text whose
        last word begins with a mark is left out, since nothing says what a model should make of that.
    """
    for text, language in texts:
        bare = text[: shape(text).rfind("x") + 1]
        found = LAST.match(bare)
        if found and len(bare.split()) >= words and found[2][0].isalnum():
            yield Passage(found[1], found[2], language)


def read_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Read a file of passages: one on each line, or JSON lines with `text`, as LAMBADA has them.

    Args:
        path: The file, or its place under `$SEMEQV_DATA`; compressed or not.

    Yields:
        Texts; their language is not said.

    Raises:
        UserError: When a line of a .jsonl file has no `text`.
    """
    file = locate(str(path), path)
    for number, line in lines(file):
        if not line.strip():
            continue
        if ".jsonl" not in file.suffixes:
            yield line, ""
            continue
        try:
            text = json.loads(line)["text"]
        except (ValueError, KeyError, TypeError):
            text = None
        if not isinstance(text, str):
            raise UserError(f'{file}, line {number}: {{"text": "..."}} is wanted, not {line!r:.60}.')
        yield text, ""
