"""Trees of sentences as prompts and answers: each word's head and relation, `2:nsubj`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.runs.notices import notice_once
from semeqv.tasks.classification.dataset import Labelled
from semeqv.tasks.classification.rows import UNLABELLED
from semeqv.tasks.parsing.batches import TreeScorer
from semeqv.tasks.parsing.rows import Trees
from semeqv.tasks.parsing.trees import best_tree
from semeqv.tasks.prompting.batches import PromptBatches, answer_rows, prompt_options
from semeqv.tasks.prompting.scorers import Writing
from semeqv.tasks.prompting.spelling import Spelling
from semeqv.tasks.prompting.words import WordAnswers, prompt_rows
from semeqv.text.records import Sentence


class TreePromptBatches(PromptBatches):
    """Sentences as prompts, and their trees as answers.

    Args:
        *args: As of `PromptBatches`.
        gold: What is said of each word.
        annotated: Whether the sentences have trees to be compared with.
        **options: As of `PromptBatches`.
    """

    tags: Sequence[str] = ()  # which are not asked for

    def __init__(self, *args: Any, gold: Trees, annotated: bool, **options: Any):
        super().__init__(*args, **options)
        self.trees, self.annotated = gold, annotated


class WrittenTreeScorer(Writing, TreeScorer):
    """Reads the head and the relation of each word from what the model writes, and takes the nearest tree.

    That is the one with most of the arcs that were written, and with one root; a word whose arc was not, or is not in
    it, has the relation `dep`.
    """

    @property
    def tagged(self) -> bool:
        """Tags are not asked for."""
        return False

    def predicted(self) -> Trees:
        """Return head and relation of each word, `(words,)`, sentence after sentence; -100 for relations of no arc."""
        data, start = self.data, 0
        answers, relations = data.task.read(self.written()), len(data.labels)
        heads, kinds = numpy.zeros_like(answers), numpy.full_like(answers, UNLABELLED)
        for sentence in data.items:
            size = len(sentence.words)
            place = numpy.arange(size)
            numbers = answers[start : start + size]
            arcs, written = numpy.zeros((size, size + 1)), (numbers >= 0) & (numbers // relations <= size)
            arcs[place[written], numbers[written] // relations] = 1
            tree = best_tree(arcs)
            right = written & (numbers // relations == tree)
            heads[start : start + size] = tree
            kinds[start : start + size] = numpy.where(right, numbers % relations, UNLABELLED)
            start += size
        return Trees(heads, kinds, numpy.full_like(answers, UNLABELLED))


def tree_prompts(
    options: Labelled,
    spelling: Spelling,
    longest: int,
    relations: Sequence[str],
    *,
    sentences: Sequence[Sentence],
    gold: Trees,
    annotated: bool,
    repeat: bool,
) -> TreePromptBatches:
    """Return the batches of a treebank.

    Args:
        options: The data set.
        spelling: Its tokenizer and template.
        longest: The most tokens of a row, prompt and answer together.
        relations: The names of the relations.
        sentences: The sentences.
        gold: What is said of their words.
        annotated: Whether they have trees to be compared with.
        repeat: Whether answers repeat the words.

    Returns:
        The data set. Sentences that do not fit into a row are not read; in test sets, what is said of them is wrong.

    Raises:
        UserError: When no sentence fits into a row.
    """
    most_words = max(len(sentence.words) for sentence in sentences)
    names = [f"{head}:{relation}" for head in range(1 + most_words) for relation in relations]
    annotated_words = (gold.heads >= 0) & (gold.relations >= 0)
    numbers = numpy.where(annotated_words, gold.heads * len(relations) + gold.relations, UNLABELLED)
    words = [tuple(word.form for word in sentence.words) for sentence in sentences]
    task = WordAnswers(
        spelling, numbers, [len(forms) for forms in words], names, repeat=repeat, entities=options.entities
    )
    task.rows = prompt_rows(task, words, longest, split=False)
    if not task.rows:
        raise UserError(f"Every sentence takes more than {longest} tokens with its tree; raise --max_length.")
    if len(task.rows) < len(sentences):
        notice_once(
            f"{len(sentences) - len(task.rows):,} of {len(sentences):,} sentences of the {options.split} set take more "
            f"than {longest} tokens with their trees, and are not read (--max_length)."
        )
    prompts = [row.prompt for row in task.rows]
    batching = prompt_options(options, spelling, longest, prompts)
    batching["facts"] |= {"labels": list(relations), "sentences": len(sentences), "repeat": repeat}
    return TreePromptBatches(
        answer_rows([prompt.tokens for prompt in prompts], list(map(task.answer, task.rows)), [True] * len(prompts)),
        sentences,
        relations,
        prompts=numpy.array([len(prompt.tokens) for prompt in prompts]),
        most=numpy.array([row.most for row in task.rows]),
        scorer=WrittenTreeScorer,
        task=task,
        gold=gold,
        annotated=annotated,
        **batching,
    )
