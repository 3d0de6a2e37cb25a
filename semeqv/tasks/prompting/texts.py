"""Texts with a label as prompts and answers."""

from __future__ import annotations

from collections.abc import Sequence

from semeqv.lazy import Integers, NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.dataset import Labelled, items, numbered
from semeqv.tasks.classification.rows import UNLABELLED
from semeqv.tasks.prompting.batches import PromptBatches, answer_rows, prompt_options
from semeqv.tasks.prompting.scorers import ChoiceScorer, WrittenLabelScorer
from semeqv.tasks.prompting.spelling import Spelling, check_fits


class TextAnswers:
    """The task of texts with a label.

    Args:
        spelling: How prompts and answers are written.
        gold: The number of each text's label, `(texts,)`.
        answers: The tokens of each label, without the one that ends it.
    """

    of_words = False

    def __init__(self, spelling: Spelling, gold: NDArray[numpy.int64], answers: Sequence[tuple[int, ...]]):
        self.spelling, self.gold, self.counts = spelling, gold, numpy.ones(len(gold), numpy.int64)
        self.numbers = {tokens: number for number, tokens in enumerate(answers)}

    def read(self, written: Sequence[Sequence[int]]) -> Integers:
        """Return the number of each label that was written; -100 where it is none."""
        return numpy.array([self.numbers.get(tuple(tokens), UNLABELLED) for tokens in written], numpy.int64)


def text_prompts(
    options: Labelled, spelling: Spelling, longest: int, names: Sequence[str], *, fields: Sequence[str], generate: bool
) -> PromptBatches:
    """Return the batches of texts with a label.

    Args:
        options: The data set.
        spelling: Its tokenizer and template.
        longest: The most tokens of a row.
        names: The labels.
        fields: What the template calls the texts.
        generate: Whether the model writes the label; else it takes the likeliest.

    Returns:
        The data set.

    Raises:
        UserError: When no text of a training set has a label, or a template is of two texts where there is one.
    """
    texts = items(options)
    if options.split == "train":
        texts = tuple(item for item in texts if item.labels[0] is not None)
    if not texts:
        raise UserError("No text of the training set has a label.")
    if "{text2}" in spelling.template and any(len(item.texts) < 2 for item in texts):
        raise UserError(f"--template {spelling.template!r:.60} asks for two texts, and the data set has one.")
    gold, answers = numbered(options, texts, names), [(*tokens, spelling.end) for tokens in spelling.labels(names)]
    width = max(map(len, answers))
    rows, room = [dict(zip(fields, item.texts)) for item in texts], [longest - width] * len(texts)
    prompts = spelling.prompts(rows, room, {})
    check_fits(prompts, room, options.split)
    tokens = [prompt.tokens for prompt in prompts]
    labelled = [number != UNLABELLED for number in gold.tolist()]
    right = [answers[number] if number != UNLABELLED else () for number in gold.tolist()]
    candidates = None
    if options.split != "train" and not generate:
        repeated = [prompt for prompt in tokens for _ in names]
        is_right = [number == place for number in gold.tolist() for place in range(len(names))]
        candidates = answer_rows(repeated, answers * len(tokens), is_right)
    batching = prompt_options(options, spelling, longest, prompts)
    batching["facts"] |= {"labels": list(names)}
    return PromptBatches(
        answer_rows(tokens, right, labelled),
        texts,
        names,
        prompts=numpy.array([len(prompt) for prompt in tokens]),
        most=numpy.full(len(tokens), width),
        scorer=WrittenLabelScorer if generate else ChoiceScorer,
        task=TextAnswers(spelling, gold, [answer[:-1] for answer in answers]),
        candidates=candidates,
        **batching,
    )
