"""Read files in the format of SQuAD (https://rajpurkar.github.io/SQuAD-explorer)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from semeqv.runs.errors import UserError
from semeqv.text.files import fingerprint, pieces, some
from semeqv.text.readers import parquet


class Answer(NamedTuple):
    """A span of a text.

    Args:
        text: What it says.
        start: Where it begins, in characters.
    """

    text: str
    start: int


class Question(NamedTuple):
    """A question about a text.

    Args:
        name: Its `id`.
        text: The question.
        context: The text.
        answers: Those that people gave; none when it has no answer.
        language: The code of the language of the text.
    """

    name: str
    text: str
    context: str
    answers: tuple[Answer, ...]
    language: str = "en"


def read_questions(path: Path, language: str = "en") -> Iterator[Question]:
    """Read a file.

    Args:
        path: The file: JSON, plain or compressed, or Parquet as the hub stores it.
        language: The language of its texts.

    Yields:
        Its questions.

    Raises:
        UserError: When it is no such file, or has none; what is missing is named.
    """
    fingerprint(path)  # says whether it can be read at all
    if path.name.endswith(".parquet"):
        yield from some(stored(path, language), path, "question in the format of SQuAD")
        return
    try:
        document = json.loads(b"".join(pieces(path)).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no JSON: {error}.") from None
    any_question = False
    for article in items(document, "data", f"{path}"):
        for paragraph in items(article, "paragraphs", f"{path}, an article"):
            where = f"{path}, a paragraph"
            context = text(paragraph, "context", where)
            for record in items(paragraph, "qas", where):
                any_question = True
                yield question(record, context, path)._replace(language=language)
    if not any_question:
        raise UserError(f"{path} holds no question in the format of SQuAD.")


def stored(path: Path, language: str) -> Iterator[Question]:
    """Yield the questions of a Parquet file of the hub, whose `answers` are an object of two lists."""
    for number, record in parquet.records(path):
        where, answers = f"{path}, row {number}", record.get("answers")
        texts, starts = items(answers, "text", where), items(answers, "answer_start", where)
        if len(texts) != len(starts):
            raise UserError(f"{where}: {len(texts)} answers, and {len(starts)} places of answers.")
        said = [{"text": said, "answer_start": start} for said, start in zip(texts, starts)]
        context = text(record, "context", where)
        yield question({**record, "answers": said}, context, path)._replace(language=language)


def question(record: Any, context: str, path: Path) -> Question:
    """Return a question from its JSON object.

    Args:
        record: The object.
        context: The text that it is about.
        path: The file, for the message.

    Returns:
        The question.

    Raises:
        UserError: When an answer does not stand where it says, or something is missing.
    """
    name = record.get("id") if isinstance(record, dict) else None
    where = f"{path}, question {name!r:.40}"
    question, answers = text(record, "question", where), []
    impossible = record.get("is_impossible", False) is True
    for answer in [] if impossible else items(record, "answers", where):
        words, start = text(answer, "text", f"{where}, an answer"), answer.get("answer_start")
        if not isinstance(start, int) or isinstance(start, bool) or not 0 <= start <= len(context):
            raise UserError(f"{where}: answer_start {start!r:.40} is no place in the text.")
        if context[start : start + len(words)] != words:
            raise UserError(
                f"{where}: the answer {words!r:.40} does not stand at {start}, where the text says "
                f"{context[start : start + len(words)]!r:.40}."
            )
        answers.append(Answer(words, start))
    return Question(str(name), question, context, tuple(answers))


def items(record: Any, key: str, where: str) -> list[Any]:
    """Return a list in a JSON object; raises as `value_of` does."""
    values: list[Any] = value_of(list, "list", record, key, where)
    return values


def text(record: Any, key: str, where: str) -> str:
    """Return a text in a JSON object; raises as `value_of` does."""
    value: str = value_of(str, "text", record, key, where)
    return value


def value_of(kind: type, called: str, record: Any, key: str, where: str) -> Any:
    """Return a value in a JSON object.

    Args:
        kind: Of which kind it is to be.
        called: What to call that, for the message.
        record: The object.
        key: Under which it stands.
        where: Where the object stands, for the message.

    Returns:
        The value.

    Raises:
        UserError: When it is missing, or of another kind.
    """
    value = record.get(key) if isinstance(record, dict) else None
    if not isinstance(value, kind):
        raise UserError(f"{where} has no {called} {key!r}; this is not the format of SQuAD.")
    return value
