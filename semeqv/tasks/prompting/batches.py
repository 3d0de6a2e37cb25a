"""Batches of prompts and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from semeqv.lazy import Integers, numpy, torch
from semeqv.runs.notices import notice_once
from semeqv.tasks.classification.batches import LabelledBatches, gather
from semeqv.tasks.classification.dataset import Labelled, batch_options, fitted_row
from semeqv.tasks.classification.rows import UNLABELLED, Rows
from semeqv.tasks.prompting.spelling import Prompt, Spelling
from semeqv.text.tokenizers.files import start_as_trained


class AnswerBatches(LabelledBatches):
    """Rows of a prompt and its answer: `input_ids` and `labels`, `(batch, time)`, -100 on the prompt, and
    `attention_mask`.
    """

    @property
    def model_word(self) -> str:
        """The word of the models that it is for."""
        return "causal-lm"

    def made(self, chosen: Integers) -> dict[str, torch.Tensor]:
        """Return the batch of some rows."""
        batch = super().made(chosen)
        width = batch["input_ids"].shape[1]
        places, real = self.starts[chosen, None] + numpy.arange(width), numpy.arange(width) < self.lengths[chosen, None]
        return batch | {"labels": gather(self.rows.labels, places, real, UNLABELLED)}


def answer_rows(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], learn: Sequence[bool]) -> Rows:
    """Return rows of prompts and answers.

    Args:
        prompts: The tokens of each prompt.
        answers: Those of its answer, the one that ends it included.
        learn: Whether each answer is to be learnt.

    Returns:
        The rows; their labels are the tokens of the answers, and -100 elsewhere.
    """
    tokens, labels, ends, count = list[int](), list[int](), list[int](), 0
    for prompt, answer, is_learnt in zip(prompts, answers, learn):
        tokens += [*prompt, *answer]
        labels += [*[UNLABELLED] * len(prompt), *(answer if is_learnt else [UNLABELLED] * len(answer))]
        count += len(prompt) + len(answer)
        ends.append(count)
    places, numbers = numpy.array(ends, numpy.int64), numpy.array(labels, numpy.int64)
    return Rows(numpy.array(tokens, numpy.int64), places, numbers, places, numpy.arange(len(places)))


class PromptBatches(AnswerBatches):
    """Prompts and answers of a labelled data set.

    Args:
        rows: The rows that are trained on, and written in a pass that generates.
        items: What is asked.
        labels: The names of the labels; none where answers are free text.
        prompts: How many tokens the prompt of each row has, `(rows,)`.
        most: The most tokens that may be written for each row, `(rows,)`, the one that ends the answer included.
        scorer: Makes what judges a pass.
        task: What the scorer asks of the task.
        candidates: Each prompt with each label, prompt after prompt, where labels are weighed against each other.
        **options: As of `LabelledBatches`.
    """

    def __init__(
        self,
        rows: Rows,
        items: Sequence[Any],
        labels: Sequence[str],
        *,
        prompts: Integers,
        most: Integers,
        scorer: Callable[[Any], Any],
        task: Any,
        candidates: Rows | None = None,
        **options: Any,
    ):
        super().__init__(rows, items, labels, **options)
        self.prompts, self.make_scorer, self.task = prompts, scorer, task
        self.most = dict[tuple[int, ...], int]()
        for start, size, limit in zip(self.starts.tolist(), prompts.tolist(), most.tolist()):
            prompt = tuple(rows.tokens[start : start + size].tolist())
            self.most[prompt] = max(limit, self.most.get(prompt, 0))
        self.candidates = None if candidates is None else AnswerBatches(candidates, (), (), **options)

    @property
    def of_words(self) -> bool:
        """Whether words have labels."""
        return bool(self.task.of_words)

    @property
    def gold(self) -> Integers:
        """The numbers of the true labels, `(labels,)`."""
        gold: Integers = self.task.gold
        return gold

    def label_counts(self) -> Integers:
        """Return how many labels each item has, `(items,)`."""
        counts: Integers = self.task.counts
        return counts

    def batches(self) -> Iterator[dict[str, torch.Tensor]]:
        """One pass: over all rows, or over all candidates, whose wrong ones have no labels; the shortest first."""
        return super().batches() if self.candidates is None else self.candidates.batches()

    def scorer(self) -> Any:
        """Return the scorer of a pass."""
        return self.make_scorer(self)


def most_tokens(options: Labelled, tokenizer: Any, model_options: Any) -> int:
    """Return the most tokens of a row; the tokenizer, which is saved beside the model, is told how rows begin.

    Args:
        options: The data set.
        tokenizer: Of the sentence.
        model_options: The model of the sentence.

    Returns:
        How many. Raises `UserError` as `fitted_row` does.
    """
    most = fitted_row(options, tokenizer, model_options, "Prompts are cut by the places of their tokens")
    start_as_trained(tokenizer)
    return most


def prompt_options(options: Labelled, spelling: Spelling, longest: int, prompts: Sequence[Prompt]) -> dict[str, Any]:
    """Return how prompts are batched, and what is known of them; tell the user how much was left out.

    Args:
        options: The data set.
        spelling: Its tokenizer and template.
        longest: The most tokens of a row.
        prompts: The prompts.

    Returns:
        By the names of the parameters of `LabelledBatches`.
    """
    cut = sum(prompt.lost > 0 for prompt in prompts)
    if cut:
        lost = sum(prompt.lost for prompt in prompts)
        notice_once(
            f"{cut:,} of {len(prompts):,} prompts of the {options.split} set are longer than {longest} tokens allow; "
            f"{lost:,} tokens are left out at the ends of their texts (--max_length)."
        )
    facts = {
        "template": spelling.template,
        "prompts": len(prompts),
        "tokens": sum(len(prompt.tokens) for prompt in prompts),
        "cut": cut,
        "max_length": longest,
    }
    return batch_options(options, spelling.tokenizer, longest, facts)
