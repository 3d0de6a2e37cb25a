"""Questions as they are read, and the batches that they become."""

import functools
from typing import TYPE_CHECKING, Any

from semeqv.tasks.classification.batching import batch_options, longest_row
from semeqv.tasks.classification.reading import of_split
from semeqv.tasks.question_answering.batches import QuestionBatches
from semeqv.tasks.question_answering.questions import Question, read_questions
from semeqv.tasks.question_answering.windows import windows
from semeqv.text.cache import key_of

if TYPE_CHECKING:
    from semeqv.tasks.question_answering.dataset import Squad


def every_question(options: "Squad") -> tuple[Question, ...]:
    """All questions of the files of a data set, read once while the files are the same."""
    return read(options, key_of(options.source_facts()))


@functools.lru_cache(maxsize=8)
def read(options: "Squad", key: str) -> tuple[Question, ...]:
    """Read a data set; `key` says in what state its files are."""
    files = options.sources().values()
    return tuple(
        question for language, file in zip(options.languages, files) for question in read_questions(file, language)
    )


def questions(options: "Squad") -> tuple[Question, ...]:
    """The questions of a data set that belong to its split; all of a text belong to one.

    Args:
        options: The data set.

    Returns:
        The questions, at least one; `of_split` raises `UserError` when there is none.
    """
    return of_split(options, every_question(options), lambda question: (question.context,))


def batches(options: "Squad", tokenizer: Any, model_options: Any) -> QuestionBatches:
    """The batches of a data set.

    Args:
        options: The data set.
        tokenizer: A fast tokenizer of transformers.
        model_options: The model of the sentence.

    Returns:
        The data set. `UserError` is raised by `longest_row` when the tokenizer is no fast one, and by `windows` when
        there is no room for the text.
    """
    found, longest = questions(options), longest_row(options, tokenizer, model_options)
    rows = windows(tokenizer, found, longest=longest, stride=options.stride, longest_question=options.longest_question)
    facts = {
        "questions": len(found),
        "without_answer": sum(not question.answers for question in found),
        "rows": len(rows.ends),
        "tokens": len(rows.tokens),
        "max_length": longest,
    }
    return QuestionBatches(rows, found, options, **batch_options(options, tokenizer, longest, facts))
