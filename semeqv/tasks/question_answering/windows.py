"""Questions as rows of tokens: the question, and a window on the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semeqv.lazy import Integers, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.batches import LabelledBatches
from semeqv.tasks.classification.rows import Rows, Template
from semeqv.tasks.question_answering.metrics import AnswerScorer
from semeqv.tasks.question_answering.questions import Question
from semeqv.text.tokenizers.encoding import encode, literal

if TYPE_CHECKING:
    from semeqv.tasks.question_answering.dataset import Squad
    from semeqv.tasks.question_answering.questions import Question

NONE = -1


@dataclass(frozen=True)
class Windows:
    """Rows of tokens, one after the other.

    Args:
        tokens: `(tokens,)`, special ones included.
        types: Token types, `(tokens,)`.
        begins: Where each token of the text begins there, in characters, `(tokens,)`; -1 for tokens of nothing in it.
        finishes: Where it ends, `(tokens,)`.
        ends: Where each row ends, `(rows,)`.
        questions: The question of each row, `(rows,)`.
        first: The place of the answer's first token in each row, `(rows,)`; 0 where the window does not hold all of it.
        last: That of its last token.
    """

    tokens: Integers
    types: Integers
    begins: Integers
    finishes: Integers
    ends: Integers
    questions: Integers
    first: Integers
    last: Integers


def windows(
    tokenizer: Any, questions: Sequence[Question], *, longest: int, stride: int, longest_question: int
) -> Windows:
    """Rows of questions; the first answer of each is where it stands.

    Args:
        tokenizer: A fast tokenizer of transformers.
        questions: What is asked.
        longest: The most tokens of a row.
        stride: Tokens that a window shares with the one before it.
        longest_question: The most tokens of a question.

    Returns:
        The rows.

    Raises:
        UserError: When questions leave too little room for a window to move on.
    """
    template = Template.of(tokenizer)
    contexts = list(dict.fromkeys(question.context for question in questions))
    read = dict(zip(contexts, literal(tokenizer).encode_batch(contexts, add_special_tokens=False)))
    asked = encode(tokenizer, [question.text for question in questions])
    specials = len(template.begin) + len(template.between) + len(template.end)
    room = longest - specials - min(longest_question, max(map(len, asked), default=0))
    if room <= stride:
        raise UserError(
            f"Rows of {longest} tokens leave {room} for the text beside the longest question, and windows share "
            f"{stride}: say a smaller --stride or --longest_question, or a larger --max_length."
        )
    parts = list[tuple[Integers, ...]]()
    ends, owners, firsts, lasts = list[int](), list[int](), list[int](), list[int]()
    for number, (question, tokens) in enumerate(zip(questions, asked)):
        encoding, tokens = read[question.context], tokens[:longest_question]  # noqa: PLW2901
        ids, places = numpy.array(encoding.ids, int), numpy.array(encoding.offsets, int).reshape(-1, 2)
        head = [*template.begin, *tokens, *template.between]
        size = longest - specials - len(tokens)
        span = answered(question, places)
        for start in starts_of(len(ids), size, stride):
            here = slice(start, start + size)
            count = len(ids[here])
            nothing = numpy.full(len(head), NONE), numpy.full(len(template.end), NONE)
            parts.append(
                (
                    numpy.array([*head, *ids[here], *template.end], int),
                    numpy.repeat([0, template.second], [len(head), count + len(template.end)]),
                    numpy.concatenate([nothing[0], places[here, 0], nothing[1]]),
                    numpy.concatenate([nothing[0], places[here, 1], nothing[1]]),
                )
            )
            held = span is not None and start <= span[0] and span[1] < start + count
            firsts.append(span[0] - start + len(head) if span is not None and held else 0)
            lasts.append(span[1] - start + len(head) if span is not None and held else 0)
            ends.append(len(parts[-1][0]))
            owners.append(number)
    flat = (numpy.concatenate(column).astype(numpy.int64) for column in zip(*parts))
    rows = (numpy.array(each, numpy.int64) for each in (numpy.cumsum(ends), owners, firsts, lasts))
    return Windows(*flat, *rows)


def starts_of(tokens: int, size: int, stride: int) -> list[int]:
    """Where windows of a size begin, so that each shares `stride` tokens with the one before and the last ends with the
    text.
    """
    starts = [0]
    while starts[-1] + size < tokens:
        starts.append(starts[-1] + size - stride)
    return starts


def answered(question: Question, places: Integers) -> tuple[int, int] | None:
    """The first and the last token of the first answer.

    Args:
        question: The question.
        places: Where each token of the text begins and ends, `(tokens, 2)`.

    Returns:
        Their numbers; None when there is no answer, or no token in it.
    """
    if not question.answers:
        return None
    said, start = question.answers[0]
    inside = numpy.flatnonzero((places[:, 0] < start + len(said)) & (places[:, 1] > start))
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


class QuestionBatches(LabelledBatches):
    """Questions as batches: `input_ids` `(batch, time)`, `start_positions` and `end_positions` `(batch,)`, 0 where the
    window does not hold the answer, and what else a model reads.

    Args:
        windows: The rows.
        questions: What is asked.
        options: The data set.
        **rest: As of `LabelledBatches`.
    """

    def __init__(self, windows: Windows, questions: tuple[Question, ...], options: Squad, **rest: Any):
        places = numpy.arange(len(windows.ends))
        rows = Rows(
            windows.tokens,
            windows.ends,
            numpy.zeros(len(places), numpy.int64),
            places + 1,
            places,
            types=windows.types if windows.types.any() else None,
        )
        super().__init__(rows, questions, (), **rest)
        self.windows, self.options = windows, options

    @property
    def model_word(self) -> str:
        """The word of the models that it is for."""
        return "question-answerer"

    def made(self, chosen: Integers) -> dict[str, torch.Tensor]:
        """The batch of some rows."""
        batch = super().made(chosen)
        del batch["labels"]  # a row has no label, but a place
        places = {"start_positions": self.windows.first, "end_positions": self.windows.last}
        return batch | {name: torch.from_numpy(values[chosen]) for name, values in places.items()}

    def scorer(self) -> Any:
        """What judges a pass over all rows."""
        return AnswerScorer(self)
