"""Questions as rows of tokens: the question, and a window on the text; batches and scorer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semeqv.lazy import Floats, Integers, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.batches import LabelledBatches
from semeqv.tasks.classification.rows import Rows, Template
from semeqv.tasks.question_answering.metrics import Span, answer_counts, answer_scores, best_span, score_answers
from semeqv.tasks.question_answering.questions import Question
from semeqv.text.tokenizers.encoding import encode, literal
from semeqv.train.batches import Batch
from semeqv.train.metrics import Scorer

NONE = -1


@dataclass(frozen=True)
class AnswerOptions:
    """Which answers are given, and how they are compared with true ones.

    Args:
        longest_answer: The most tokens of an answer.
        threshold: A question has no answer when saying so scores higher than the best span by more than this.
        characters: Whether answers are normalised by the language of their text, as MLQA does.
    """

    longest_answer: int
    threshold: float
    characters: bool


@dataclass(frozen=True)
class QuestionWindows:
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
) -> QuestionWindows:
    """Return rows of questions; the first answer of each is where it stands.

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
    question_tokens = encode(tokenizer, [question.text for question in questions])
    specials = len(template.begin) + len(template.between) + len(template.end)
    room = longest - specials - min(longest_question, max(map(len, question_tokens), default=0))
    if room <= stride:
        raise UserError(
            f"Rows of {longest} tokens leave {room} for the text beside the longest question, and windows share "
            f"{stride}: say a smaller --stride or --longest_question, or a larger --max_length."
        )
    parts = list[tuple[Integers, ...]]()
    ends, owners, firsts, lasts = list[int](), list[int](), list[int](), list[int]()
    for number, (question, tokens) in enumerate(zip(questions, question_tokens)):
        encoding, tokens = read[question.context], tokens[:longest_question]  # noqa: PLW2901
        ids, places = numpy.array(encoding.ids, int), numpy.array(encoding.offsets, int).reshape(-1, 2)
        head = [*template.begin, *tokens, *template.between]
        size = longest - specials - len(tokens)
        span = answer_span(question, places)
        for start in starts_of(len(ids), size, stride):
            window = slice(start, start + size)
            count = len(ids[window])
            nothing = numpy.full(len(head), NONE), numpy.full(len(template.end), NONE)
            parts.append(
                (
                    numpy.array([*head, *ids[window], *template.end], int),
                    numpy.repeat([0, template.second], [len(head), count + len(template.end)]),
                    numpy.concatenate([nothing[0], places[window, 0], nothing[1]]),
                    numpy.concatenate([nothing[0], places[window, 1], nothing[1]]),
                )
            )
            holds_answer = span is not None and start <= span[0] and span[1] < start + count
            firsts.append(span[0] - start + len(head) if span is not None and holds_answer else 0)
            lasts.append(span[1] - start + len(head) if span is not None and holds_answer else 0)
            ends.append(len(parts[-1][0]))
            owners.append(number)
    flat = (numpy.concatenate(column).astype(numpy.int64) for column in zip(*parts))
    rows = (numpy.array(each, numpy.int64) for each in (numpy.cumsum(ends), owners, firsts, lasts))
    return QuestionWindows(*flat, *rows)


def starts_of(tokens: int, size: int, stride: int) -> list[int]:
    """Return where windows of a size begin, so that each shares `stride` tokens with the one before and the last ends
    with the text.
    """
    starts = [0]
    while starts[-1] + size < tokens:
        starts.append(starts[-1] + size - stride)
    return starts


def answer_span(question: Question, places: Integers) -> tuple[int, int] | None:
    """Return the first and the last token of the first answer.

    Args:
        question: The question.
        places: Where each token of the text begins and ends, `(tokens, 2)`.

    Returns:
        Their numbers; None when there is no answer, or no token in it.
    """
    if not question.answers:
        return None
    answer, start = question.answers[0]
    inside = numpy.flatnonzero((places[:, 0] < start + len(answer)) & (places[:, 1] > start))
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


class QuestionBatches(LabelledBatches):
    """Questions as batches: `input_ids` `(batch, time)`, `start_positions` and `end_positions` `(batch,)`, 0 where the
    window does not hold the answer, and what else a model reads.

    Args:
        windows: The rows.
        questions: What is asked.
        options: Which answers are given, and how they are judged.
        **rest: As of `LabelledBatches`.
    """

    def __init__(self, windows: QuestionWindows, questions: tuple[Question, ...], options: AnswerOptions, **rest: Any):
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
        """Return the batch of some rows."""
        batch = super().made(chosen)
        del batch["labels"]  # a row has no label, but a place
        places = {"start_positions": self.windows.first, "end_positions": self.windows.last}
        return batch | {name: torch.from_numpy(values[chosen]) for name, values in places.items()}

    def scorer(self) -> Any:
        """Return the scorer of a pass over all rows."""
        return AnswerScorer(self)


class AnswerScorer(Scorer):
    """Finds the best span of each text, and scores all answers: exact match and F1.

    It is a `Tallied` scorer (see `semeqv.results.statistics`), so that models can be compared on samples of texts.

    Args:
        data: The questions.
    """

    def __init__(self, data: QuestionBatches):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, torch.Tensor], batch: Batch) -> Any:
        """Return the logits of the first and the last token, `(2, rows, time)`."""
        return numpy.stack([outputs[name].float().cpu().numpy() for name in ("start_logits", "end_logits")])

    def answers(self) -> list[str]:
        """Return the answer to each question; empty where the model says that there is none."""
        data, rows = self.data, self.data.windows
        best = [Span(-numpy.inf, 0, 0)] * len(data.items)
        nothing = numpy.full(len(data.items), numpy.inf)  # the least score of no answer over all windows
        row = iter(data.passing.tolist())
        for part in self.parts:
            for starts, ends in zip(*part.astype(numpy.float64)):
                number = next(row)
                place = slice(data.starts[number], rows.ends[number])
                begins, finishes, question = rows.begins[place], rows.finishes[place], rows.questions[number]
                nothing[question] = min(nothing[question], starts[0] + ends[0])
                size = len(begins)
                candidate = best_span(starts[:size], ends[:size], begins >= 0, data.options.longest_answer)
                if candidate is not None and candidate[0] > best[question].score:
                    score, first, last = candidate
                    best[question] = Span(score, int(begins[first]), int(finishes[last]))
        # Where every question has an answer, one is always given.
        possible = any(not question.answers for question in data.items)
        silent = nothing > numpy.array([span.score for span in best]) + data.options.threshold
        return [
            "" if possible and none else question.context[span.begin : span.finish]
            for question, span, none in zip(data.items, best, silent)
        ]

    def scores(self) -> dict[str, float]:
        """Return the scores, and in `NAME_low` and `NAME_high` their intervals where the data set asks for them."""
        data = self.data
        return score_answers(data.items, self.answers(), data.replicates, characters=data.options.characters)

    def tally(self) -> Floats:
        """Return what is counted in each text, `(texts, 6)`; see `answer_counts`."""
        return answer_counts(self.data.items, self.answers(), self.data.options.characters)

    def measures(self, sums: Floats) -> Mapping[str, Floats]:
        """Return exact match and F1 from sums of counts, `(..., 6)`, each `(...)`."""
        return {name: share for name, share in answer_scores(sums).items() if name in ("exact", "f1")}

    def predictions(self) -> Iterator[dict[str, Any]]:
        """Yield each question, its answers, and the one that was given, in their order."""
        for number, (question, answer) in enumerate(zip(self.data.items, self.answers())):
            yield {
                "sentence": number,
                "id": question.name,
                "texts": [question.text],
                "label": [said.text for said in question.answers],
                "predicted": answer,
            }
