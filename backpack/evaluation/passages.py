"""Passages without their last words."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backpack.evaluation.word_shape import shape
from semeqv.runs.errors import UserError
from semeqv.text.files import lines
from semeqv.text.location import locate

MASK = "<mask>"
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


def read_passages(path: Path, words: int) -> Iterator[Passage]:
    """Read a file of passages.

    Args:
        path: The file, or its place under `$SEMEQV_DATA`; compressed or not. A text on each line; or JSON lines with
            `text`, as LAMBADA has them, or with `cloze_passage`, in which `<mask>` stands for the last word, and
            `answer`, as the multilingual project has them, or with `context` and `word`. `language` may be said.
        words: Words that a passage must have.

    Yields:
        Passages. The word of an `answer` is as it is given, without marks behind it.

    Raises:
        UserError: When a line of a .jsonl file has none of these keys, or something is masked but the last word.
    """
    file = locate(str(path), path)
    for number, line in lines(file):
        if not line.strip():
            continue
        if ".jsonl" not in file.suffixes:
            yield from passages([(line, "")], words)
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        said = record if isinstance(record, dict) else {}
        language = said["language"] if isinstance(said.get("language"), str) else ""
        if isinstance(said.get("text"), str):
            yield from passages([(said["text"], language)], words)
            continue
        context, word = said.get("context"), said.get("word")
        if isinstance(masked := said.get("cloze_passage"), str):
            context, mask, behind = masked.partition(MASK)
            word = said.get("answer")
            if not mask or "x" in shape(behind):
                raise UserError(f"{file}, line {number}: {MASK} must stand once, for the last word: {masked!r:.60}.")
        if not isinstance(context, str) or not isinstance(word, str):
            raise UserError(
                f'{file}, line {number}: {{"text": "..."}} or {{"cloze_passage": "... {MASK}.", "answer": "..."}} is '
                f"wanted, not {line!r:.60}."
            )
        if len(context.split()) + 1 >= words:
            yield Passage(context.rstrip(), word[: shape(word).rfind("x") + 1].strip(), language)
