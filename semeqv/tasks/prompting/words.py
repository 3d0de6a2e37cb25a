"""Words with labels as prompts and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semeqv.lazy import Integers, numpy
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.dataset import Labelled, items, numbered
from semeqv.tasks.classification.rows import UNLABELLED
from semeqv.tasks.prompting.batches import PromptBatches, answer_rows, prompt_options
from semeqv.tasks.prompting.scorers import WrittenLabelScorer
from semeqv.tasks.prompting.spelling import Prompt, Spelling

NONE = "_"  # in the place of a label that is not there, where answers are labels alone


@dataclass(frozen=True)
class WordRow:
    """A sentence, or a piece of one.

    Args:
        first: The number of its first word among those of all sentences.
        words: Its words, as the prompt shows them.
        prompt: The prompt.
        most: The most tokens that an answer can have.
    """

    first: int
    words: tuple[str, ...]
    prompt: Prompt
    most: int


class WordAnswers:
    """The task of words with labels.

    Args:
        spelling: How prompts and answers are written.
        gold: The number of each word's label, `(words,)`, sentence after sentence; -100 where there is none.
        counts: How many words each sentence has.
        names: The labels.
        repeat: Whether answers repeat the words.
        entities: Whether labels are tags of IOB2, so that a word that an answer leaves out is in no entity.
    """

    of_words = True

    def __init__(
        self,
        spelling: Spelling,
        gold: Integers,
        counts: Sequence[int],
        names: Sequence[str],
        *,
        repeat: bool,
        entities: bool = False,
    ):
        self.spelling, self.gold, self.counts = spelling, gold, numpy.array(counts, numpy.int64)
        self.repeat, self.rows = repeat, list[WordRow]()
        written = spelling.labels(names if repeat or NONE in names else [*names, NONE])
        self.labels = dict(enumerate(written[: len(names)]))
        if not repeat:
            self.labels[UNLABELLED] = spelling.continued([NONE])[0]
        self.numbers = {tokens: number for number, tokens in self.labels.items()}
        self.longest = max(map(len, self.numbers))
        self.missing = list(names).index("O") if entities and "O" in names else UNLABELLED
        self.known = dict[str, tuple[int, ...]]()

    def spelled(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the tokens of words as answers repeat them; none where they do not."""
        if not self.repeat:
            return [()] * len(words)
        if new := sorted(set(words) - self.known.keys()):
            self.known |= dict(zip(new, self.spelling.continued(new)))
        return [self.known[word] for word in words]

    def most(self, words: Sequence[str]) -> int:
        """Return the most tokens of an answer, the one that ends it included."""
        return sum(map(len, self.spelled(words))) + self.longest * len(words) + 1

    def answer(self, row: WordRow) -> list[int]:
        """Return the tokens of the right answer; words without a label are not in it, or have a mark for it."""
        answer = list[int]()
        for place, tokens in enumerate(self.spelled(row.words), row.first):
            number = int(self.gold[place])
            if number in self.labels:
                answer += [*tokens, *self.labels[number]]
        return [*answer, self.spelling.end]

    def read(self, written: Sequence[Sequence[int]]) -> Integers:
        """Return the number of each word's label, `(words,)`, as answers say it.

        A label is that of the word before it; where no word of the sentence stands there, that of the next word.

        Args:
            written: The answer to each row.

        Returns:
            For words that are not in the answer: that of no entity where entities are marked, else -100.
        """
        numbers = numpy.full(len(self.gold), self.missing)
        for row, tokens in zip(self.rows, written):
            words, place, start = self.spelled(row.words), 0, 0
            while place < len(tokens) and start < len(words):
                for number in range(start, len(words)):
                    behind = place + len(words[number])
                    label = self.label_at(tokens, behind)
                    if label is not None and tuple(tokens[place:behind]) == words[number]:
                        numbers[row.first + number] = self.missing if label == UNLABELLED else label
                        place, start = behind + len(self.labels[label]), number + 1
                        break
                else:
                    label = self.label_at(tokens, place)
                    if label is not None:  # behind a word that was written otherwise
                        numbers[row.first + start] = self.missing if label == UNLABELLED else label
                        start += 1
                    place += 1 if label is None else len(self.labels[label])
        return numbers

    def label_at(self, tokens: Sequence[int], place: int) -> int | None:
        """Return the number of the longest label that stands at a place; None where none does."""
        for size in range(min(self.longest, len(tokens) - place), 0, -1):
            if (number := self.numbers.get(tuple(tokens[place : place + size]))) is not None:
                return number
        return None


def prompt_rows(
    task: WordAnswers, sentences: Sequence[tuple[str, ...]], longest: int, *, split: bool = True
) -> list[WordRow]:
    """Return rows of sentences: those that are too long are halved between words until they fit.

    Args:
        task: How prompts and answers are written.
        sentences: The words of each.
        longest: The most tokens of a row, with the longest answer that there can be.
        split: Whether those that are too long are read; else they are left out.

    Returns:
        The rows, in the order of the words. Of a word that is too long by itself, the end is left out.

    Raises:
        UserError: When there is no room for a single character.
    """
    starts = numpy.cumsum([0, *map(len, sentences)]).tolist()
    waiting, rows = [(start, words, False) for start, words in zip(starts, sentences) if words], list[WordRow]()
    while waiting:
        prompts = task.spelling.prompts(
            [{"text": " ".join(words)} for _, words, _ in waiting], [2**30] * len(waiting), {}
        )
        halves = []
        for (start, words, shortened), prompt in zip(waiting, prompts):
            most = task.most(words)
            if len(prompt.tokens) + most <= longest:
                rows.append(WordRow(start, words, Prompt(prompt.tokens, int(shortened)), most))
            elif not split:
                continue
            elif len(words) > 1:
                half = len(words) // 2
                halves += [(start, words[:half], shortened), (start + half, words[half:], shortened)]
            elif len(words[0]) > 1:
                halves.append((start, (words[0][: len(words[0]) // 2],), True))
            else:
                raise UserError(
                    f"A prompt of one character and its answer take {len(prompt.tokens) + most} tokens, more than "
                    f"{longest}; raise --max_length where the model reads more, or shorten --template."
                )
        waiting = halves
    return sorted(rows, key=lambda row: row.first)


def word_prompts(
    options: Labelled, spelling: Spelling, longest: int, names: Sequence[str], *, repeat: bool
) -> PromptBatches:
    """Return the batches of words with labels; a sentence that is too long becomes several rows.

    Args:
        options: The data set.
        spelling: Its tokenizer and template.
        longest: The most tokens of a row, prompt and answer together.
        names: The labels.
        repeat: Whether answers repeat the words.

    Returns:
        The data set.

    Raises:
        UserError: When no word of a training set has a label.
    """
    sentences = items(options)
    gold, counts = numbered(options, sentences, names), [len(item.texts) for item in sentences]
    task = WordAnswers(spelling, gold, counts, names, repeat=repeat, entities=options.entities)
    rows = prompt_rows(task, [item.texts for item in sentences], longest)
    answers = [task.answer(row) for row in rows]
    if options.split == "train":
        labelled = [place for place, answer in enumerate(answers) if len(answer) > 1]
        rows, answers = [rows[place] for place in labelled], [answers[place] for place in labelled]
    if not rows:
        raise UserError("No word of the training set has a label.")
    task.rows = rows
    prompts = [row.prompt for row in rows]
    batching = prompt_options(options, spelling, longest, prompts)
    batching["facts"] |= {"labels": list(names), "sentences": len(sentences), "repeat": repeat}
    return PromptBatches(
        answer_rows([prompt.tokens for prompt in prompts], answers, [True] * len(rows)),
        sentences,
        names,
        prompts=numpy.array([len(prompt.tokens) for prompt in prompts]),
        most=numpy.array([row.most for row in rows]),
        scorer=WrittenLabelScorer,
        task=task,
        entities=options.entities,
        **batching,
    )
