"""Exact match and F1 of answers, as in the official script of SQuAD (Rajpurkar et al., 2016, arXiv 1606.05250)."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from semeqv.tasks.bootstrap import scored
from semeqv.tasks.classification.tallies import divided
from semeqv.tasks.question_answering.questions import Question

Floats = NDArray[numpy.float64]
ARTICLES = re.compile(r"\b(a|an|the)\b")
SINGLE = re.compile(r"([\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")  # Thai, kana, Han


def judged(
    questions: Sequence[Question], answers: Sequence[str], replicates: int, *, characters: bool = False
) -> dict[str, float]:
    """Judge answers.

    Args:
        questions: What was asked.
        answers: What was answered; empty for no answer.
        replicates: Bootstrap samples of the intervals; 0 for none.
        characters: Whether characters of languages without blanks are words of their own, and their punctuation does
            not count, as in the official script of MLQA (Lewis et al., 2020, arXiv 1910.07475).

    Returns:
        `exact` and `f1`; where questions without an answer are among them, `answered_f1` of those that have one and
        `unanswered` (the share of the others that got none). With intervals in `NAME_low` and `NAME_high`, of samples
        of texts, with all their questions.
    """
    counts = counted(questions, answers, characters)
    asked = ["exact", "f1", *(["answered_f1", "unanswered"] if counts[:, 3].any() else [])]
    return scored(counts, lambda sums: {name: shares(sums)[name] for name in asked}, replicates)


def counted(questions: Sequence[Question], answers: Sequence[str], characters: bool) -> Floats:
    """Sum up the scores of answers, text by text.

    Args:
        questions: What was asked.
        answers: What was answered.
        characters: As of `judged`.

    Returns:
        `(texts, 6)`: questions, exact matches, F1; questions without an answer, those of them that got none, and the F1
        of the others.
    """
    texts = {context: number for number, context in enumerate(dict.fromkeys(each.context for each in questions))}
    counts = numpy.zeros((len(texts), 6))
    for question, answer in zip(questions, answers):
        gold = [said.text for said in question.answers if normalised(said.text, characters)] or [""]
        exact = max(float(normalised(answer, characters) == normalised(each, characters)) for each in gold)
        f1 = max(f1_of(answer, each, characters) for each in gold)
        none = float(not question.answers)
        counts[texts[question.context]] += (1, exact, f1, none, none * exact, (1 - none) * f1)
    return counts


def shares(counts: NDArray[Any]) -> dict[str, Floats]:
    """Scores from sums of counts.

    Args:
        counts: `(..., 6)`, as of `counted`.

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


def normalised(answer: str, characters: bool = False) -> str:
    """An answer in small letters, without punctuation, English articles and superfluous blanks.

    Args:
        answer: The answer.
        characters: As of `judged`; punctuation is that of Unicode then, else that of ASCII alone.

    Returns:
        Its words, with blanks between them.
    """
    left = (letter for letter in answer.lower() if not punctuation(letter, characters))
    plain = ARTICLES.sub(" ", "".join(left))
    return " ".join((SINGLE.sub(r" \1 ", plain) if characters else plain).split())


def punctuation(letter: str, every: bool) -> bool:
    """Whether a character is punctuation: of ASCII, or `every` one that Unicode has (the categories P)."""
    return letter in string.punctuation or (every and unicodedata.category(letter).startswith("P"))


def f1_of(answer: str, gold: str, characters: bool = False) -> float:
    """The F1 of the words that an answer shares with a true one; of none and none it is 1.

    Args:
        answer: What was answered.
        gold: What is true.
        characters: As of `judged`.

    Returns:
        From 0 to 1.
    """
    words, true = (normalised(each, characters).split() for each in (answer, gold))
    if not words or not true:
        return float(words == true)
    shared = sum((Counter(words) & Counter(true)).values())
    return 2 * shared / (len(words) + len(true))
