"""Exact match and F1 of answers, as in the official script of SQuAD (Rajpurkar et al., 2016, arXiv 1606.05250)."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from semeqv.lazy import Floats, NDArray, numpy
from semeqv.results.statistics import scored
from semeqv.tasks.classification.metrics import divided
from semeqv.tasks.question_answering.questions import Question
from semeqv.text.languages import canonical

ARTICLES = re.compile(r"\b(a|an|the)\b")
# What MLQA leaves out by language (Lewis et al., 2020, arXiv 1910.07475, and its published script): articles and, of
# Vietnamese, some words like them; of Arabic the two letters wherever they stand. Hindi and Chinese have none.
ARTICLES_OF = {
    "en": ARTICLES,
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "ar": re.compile("ال"),
}
# Characters that are words of their own: of Chinese as in MLQA, of Japanese and Thai, which it has not, in its manner.
SINGLE_OF = {
    "zh": re.compile(r"([\u4e00-\u9fa5])"),
    "ja": re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])"),
    "th": re.compile(r"([\u0e00-\u0e7f])"),
}


def score_answers(
    questions: Sequence[Question], answers: Sequence[str], replicates: int, *, characters: bool = False
) -> dict[str, float]:
    """Score answers.

    Args:
        questions: What was asked.
        answers: What was answered; empty for no answer.
        replicates: Bootstrap samples of the intervals; 0 for none.
        characters: Whether answers are normalised by the language of their text, as in the official script of MLQA:
            its articles and the punctuation of every script do not count, and characters of languages without blanks
            are words of their own.

    Returns:
        `exact` and `f1`; where questions without an answer are among them, `answered_f1` of those that have one and
        `unanswered` (the share of the others that got none). With intervals in `NAME_low` and `NAME_high`, of samples
        of texts, with all their questions.
    """
    counts = answer_counts(questions, answers, characters)
    names = ["exact", "f1", *(["answered_f1", "unanswered"] if counts[:, 3].any() else [])]
    return scored(counts, lambda sums: {name: answer_scores(sums)[name] for name in names}, replicates)


def answer_counts(questions: Sequence[Question], answers: Sequence[str], characters: bool) -> Floats:
    """Sum up the scores of answers, text by text.

    Args:
        questions: What was asked.
        answers: What was answered.
        characters: As of `score_answers`.

    Returns:
        `(texts, 6)`: questions, exact matches, F1; questions without an answer, those of them that got none, and the F1
        of the others.
    """
    texts = {context: number for number, context in enumerate(dict.fromkeys(each.context for each in questions))}
    counts = numpy.zeros((len(texts), 6))
    for question, answer in zip(questions, answers):
        rules = canonical(question.language) if characters else None
        gold = [said.text for said in question.answers if normalised(said.text, rules)] or [""]
        exact = max(float(normalised(answer, rules) == normalised(each, rules)) for each in gold)
        f1 = max(f1_of(answer, each, rules) for each in gold)
        none = float(not question.answers)
        counts[texts[question.context]] += (1, exact, f1, none, none * exact, (1 - none) * f1)
    return counts


def answer_scores(counts: NDArray[Any]) -> dict[str, Floats]:
    """Return scores from sums of counts.

    Args:
        counts: `(..., 6)`, as of `answer_counts`.

    Returns:
        `exact`, `f1`, `answered_f1` and `unanswered`, each `(...)`; 0 where there is nothing to divide by.
    """
    questions, exact, f1, without, silent, answered = numpy.moveaxis(counts, -1, 0)
    return {
        "exact": divided(exact, questions),
        "f1": divided(f1, questions),
        "answered_f1": divided(answered, questions - without),
        "unanswered": divided(silent, without),
    }


def normalised(answer: str, language: str | None = None) -> str:
    """Return an answer in small letters, without punctuation, articles and superfluous blanks.

    Args:
        answer: The answer.
        language: The language whose rules of MLQA are taken, punctuation being that of Unicode; None for those of
            SQuAD: English articles, and the punctuation of ASCII alone.

    Returns:
        Its words, with blanks between them.
    """
    left = "".join(letter for letter in answer.lower() if not punctuation(letter, every=language is not None))
    articles = ARTICLES if language is None else ARTICLES_OF.get(language)
    plain = articles.sub(" ", left) if articles else left
    single = SINGLE_OF.get(language or "")
    return " ".join((single.sub(r" \1 ", plain) if single else plain).split())


def punctuation(letter: str, every: bool) -> bool:
    """Return whether a character is punctuation: of ASCII, or `every` one that Unicode has (the categories P)."""
    return letter in string.punctuation or (every and unicodedata.category(letter).startswith("P"))


def f1_of(answer: str, gold: str, language: str | None = None) -> float:
    """Return the F1 of the words that an answer shares with a true one; of none and none it is 1.

    Args:
        answer: What was answered.
        gold: What is true.
        language: As of `normalised`.

    Returns:
        From 0 to 1.
    """
    words, true = (normalised(each, language).split() for each in (answer, gold))
    if not words or not true:
        return float(words == true)
    shared = sum((Counter(words) & Counter(true)).values())
    return 2 * shared / (len(words) + len(true))


class Span(NamedTuple):
    """The best answer so far.

    Args:
        score: The sum of the logits of its first and its last token.
        begin: Where it begins in the text, in characters.
        finish: Where it ends.
    """

    score: float
    begin: int
    finish: int


def best_span(
    starts: Floats, ends: Floats, allowed: NDArray[numpy.bool_], longest: int
) -> tuple[float, int, int] | None:
    """Return the span whose first and last token have the highest sum of scores; of equal ones the first and shortest.

    Args:
        starts: Of each token to be the first, `(time,)`.
        ends: To be the last, `(time,)`.
        allowed: Which tokens there may be in it, `(time,)`; they stand together.
        longest: How many tokens it may have.

    Returns:
        The sum, the first and the last token; None when no token is allowed.
    """
    places = numpy.flatnonzero(allowed)
    if not len(places):
        return None
    starts, ends, best = starts[places], ends[places], None
    for distance in range(min(longest, len(places))):
        sums = starts[: len(starts) - distance] + ends[distance:]
        first = int(sums.argmax())
        candidate = (float(sums[first]), -first, -distance)
        best = candidate if best is None else max(best, candidate)
    assert best is not None
    score, first, distance = best[0], -best[1], -best[2]
    return score, int(places[first]), int(places[first + distance])
