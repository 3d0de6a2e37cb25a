"""Questions about texts, from files in the format of SQuAD."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import alias, check_bounds, component
from semeqv.tasks.classification.dataset import (
    InFiles,
    Item,
    batch_options,
    check_no_overlap,
    longest_row,
    of_split,
)
from semeqv.tasks.classification.finding import find_files
from semeqv.tasks.prompting.batches import PromptBatches
from semeqv.tasks.prompting.options import PromptContext, Prompted
from semeqv.tasks.question_answering.prompts import question_prompts
from semeqv.tasks.question_answering.questions import Question, read_questions
from semeqv.tasks.question_answering.windows import AnswerOptions, QuestionBatches, windows
from semeqv.text.cache import key_of


@component("dataset squad")
@dataclass(frozen=True, kw_only=True)
class Squad(InFiles, Prompted):
    """Questions whose answers are spans of a text: SQuAD 1.1 and 2.0 (Rajpurkar et al., 2016, 2018), XQuAD, MLQA, ...

    arXiv 1606.05250 and 1806.03822. Files are JSON, found by their names, `train-v1.1.json`, `xquad.de.json`, in --path
    or anywhere in $SEMEQV_DATA; in --path they may also be Parquet, as on the hub. A text that is too long is read in
    windows that overlap; the answer is the best span of all windows. Scores are exact match and F1 of words as in the
    official script, without case, punctuation and English articles; for data with questions that have no answer, the F1
    of those that have one and of those that have none.

    A causal language model writes its answer, or nothing where there is none. It reads the beginning of a text that is
    too long, and is not asked for windows: --stride and --threshold are for models that point at answers.

    Args:
        template: What a causal language model (cli model gpt2, backpack, causal-lm, load) reads before its answer: text
            with the fields {context} and {question}. If left out, that of the training set, else "Context: {context}
            Question: {question} Answer:". Not for models with a head.
        collection: A word of the files' names that distinguishes corpora of one language: xquad, mlqa.
        labels: Not for questions: answers are spans.
        max_length: The most tokens of a row, question and text, fewer where the model reads fewer at once.
        stride: Tokens of the text that a window shares with the one before it.
        longest_question: The most tokens of a question; its end is cut off.
        longest_answer: The most tokens of an answer that is given.
        threshold: A question has no answer when saying so scores higher than the best span by more than this; in data
            in which every question has one, that is never said.
        characters: Normalise answers as MLQA does, by --languages: leave out the articles of English, Spanish, German,
            Vietnamese and Arabic and the punctuation of every script, and count Chinese, Japanese and Thai characters
            as words of their own.
    """

    of_words: ClassVar[bool] = False
    fields: ClassVar[tuple[str, ...]] = ("context", "question")
    usual: ClassVar[str] = "Context: {context} Question: {question} Answer:"

    collection: str | None = None
    max_length: int = alias("block_size", 384)
    stride: int = 128
    longest_question: int = 64
    longest_answer: int = 30
    threshold: float = 0.0
    characters: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.labels:
            raise ValueError("--labels is not for questions: answers are spans.")
        check_bounds(self, stride=0, longest_question=1, longest_answer=1)

    def sources(self) -> Mapping[str, Path]:
        """Return the file of each language."""
        words = (self.collection,) if self.collection else ()
        endings = (".json",) if self.path is None else (".json", ".parquet")
        return find_files(self.path, self.languages, None if self.holdout else self.split, endings, words)

    def items(self) -> Iterator[Item]:
        """Yield each text once, and each question; an item is a text."""
        seen = dict[str, None]()
        for question in every_question(self):
            if question.context not in seen:
                seen[question.context] = None
                yield Item((question.context,), (None,))
            yield Item((question.text,), (None,))

    def line_of(self, label: str) -> str:
        """Return the files."""
        return ", ".join(map(str, self.sources().values()))

    @property
    def answering(self) -> AnswerOptions:
        """Which answers are given, and how they are judged."""
        return AnswerOptions(self.longest_answer, self.threshold, self.characters)

    def head_batches(
        self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any
    ) -> QuestionBatches:
        """Return batches of `input_ids`, `start_positions` and `end_positions`.

        Args:
            tokenizer: The tokenizer of the run, or of the model.
            dataset_options: The data sets of the sentence; one that is held out shares no text with the training set.
            model_options: The model, which may read fewer tokens at once.

        Returns:
            The data set.
        """
        check_no_overlap(self, dataset_options, model_options)
        return batches(self, tokenizer, model_options)

    def prompt_batches(self, context: PromptContext) -> PromptBatches:
        """Return texts and questions as prompts, and what stands in the text as answers."""
        return question_prompts(
            self,
            context.spelling,
            context.longest,
            questions(self),
            answering=self.answering,
            longest_question=self.longest_question,
        )


def every_question(options: Squad) -> tuple[Question, ...]:
    """Return all questions of the files of a data set, read once while the files are the same."""
    return read(options, key_of(options.source_facts()))


@functools.lru_cache(maxsize=8)
def read(options: Squad, key: str) -> tuple[Question, ...]:
    """Read a data set; `key` says in what state its files are."""
    files = options.sources().values()
    return tuple(
        question for language, file in zip(options.languages, files) for question in read_questions(file, language)
    )


def questions(options: Squad) -> tuple[Question, ...]:
    """Return the questions of a data set that belong to its split; all of a text belong to one.

    Args:
        options: The data set.

    Returns:
        The questions, at least one; `of_split` raises `UserError` when there is none.
    """
    return of_split(options, every_question(options), lambda question: (question.context,))


def batches(options: Squad, tokenizer: Any, model_options: Any) -> QuestionBatches:
    """Return the batches of a data set.

    Args:
        options: The data set.
        tokenizer: A fast tokenizer of transformers.
        model_options: The model of the sentence.

    Returns:
        The data set. `UserError` is raised by `longest_row` when the tokenizer is no fast one, and by `windows` when
        there is no room for the text.
    """
    chosen, longest = questions(options), longest_row(options, tokenizer, model_options)
    rows = windows(tokenizer, chosen, longest=longest, stride=options.stride, longest_question=options.longest_question)
    facts = {
        "questions": len(chosen),
        "without_answer": sum(not question.answers for question in chosen),
        "rows": len(rows.ends),
        "tokens": len(rows.tokens),
        "max_length": longest,
    }
    return QuestionBatches(rows, chosen, options.answering, **batch_options(options, tokenizer, longest, facts))
