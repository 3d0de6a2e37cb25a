"""Questions about texts as prompts and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semeqv.lazy import numpy
from semeqv.tasks.classification.dataset import Labelled
from semeqv.tasks.prompting.batches import PromptBatches, answer_rows, prompt_options
from semeqv.tasks.prompting.scorers import Writing
from semeqv.tasks.prompting.spelling import Spelling, check_fits
from semeqv.tasks.question_answering.questions import Question
from semeqv.tasks.question_answering.windows import AnswerOptions, AnswerScorer


class QuestionAnswers:
    """The task of questions: their answers are what is written.

    Args:
        spelling: How prompts and answers are written.
    """

    of_words = False

    def __init__(self, spelling: Spelling):
        self.spelling = spelling


class QuestionPromptBatches(PromptBatches):
    """Questions as prompts, and their answers.

    Args:
        *args: As of `PromptBatches`.
        options: Which answers are given, and how they are judged.
        **rest: As of `PromptBatches`.
    """

    def __init__(self, *args: Any, options: AnswerOptions, **rest: Any):
        super().__init__(*args, **rest)
        self.options = options


class WrittenAnswerScorer(Writing, AnswerScorer):
    """Takes what the model writes for the answers to questions; nothing is written where there is none."""

    def answers(self) -> list[str]:
        """Return the answer to each question."""
        return [self.data.task.spelling.read(tokens) for tokens in self.written()]


def question_prompts(
    options: Labelled,
    spelling: Spelling,
    longest: int,
    questions: Sequence[Question],
    *,
    answering: AnswerOptions,
    longest_question: int,
) -> QuestionPromptBatches:
    """Return the batches of questions about texts; of a text that is too long, the end is left out.

    Args:
        options: The data set.
        spelling: Its tokenizer and template.
        longest: The most tokens of a row.
        questions: What is asked.
        answering: Which answers are given, and how they are judged.
        longest_question: The most tokens of a question.

    Returns:
        The data set; without an answer, a question's row goes on with the token that ends it.
    """
    firsts = spelling.continued([question.answers[0].text if question.answers else "" for question in questions])
    right = [(*tokens[: answering.longest_answer], spelling.end) for tokens in firsts]
    most = answering.longest_answer + 1
    room = [longest - most] * len(questions)
    rows = [{"context": question.context, "question": question.text} for question in questions]
    prompts = spelling.prompts(rows, room, {"question": longest_question}, kept=("question",))
    check_fits(prompts, room, options.split)
    batching = prompt_options(options, spelling, longest, prompts)
    without = sum(not question.answers for question in questions)
    batching["facts"] |= {"questions": len(questions), "without_answer": without}
    tokens = [prompt.tokens for prompt in prompts]
    return QuestionPromptBatches(
        answer_rows(tokens, right, [True] * len(questions)),
        questions,
        (),
        prompts=numpy.array([len(prompt) for prompt in tokens]),
        most=numpy.full(len(tokens), most),
        scorer=WrittenAnswerScorer,
        task=QuestionAnswers(spelling),
        options=answering,
        **batching,
    )
