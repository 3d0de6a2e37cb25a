"""Scores of forms, and their intervals over lemmas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semeqv.lazy import Floats, NDArray, numpy
from semeqv.results.statistics import scored


def score_forms(lemmas: Sequence[str], values: Mapping[str, NDArray[Any]], replicates: int) -> dict[str, float]:
    """Return the means of some scores over forms.

    Args:
        lemmas: The lemma of each form.
        values: Scores of each form, `(forms,)`, by name.
        replicates: Bootstrap samples of the intervals; 0 for none.

    Returns:
        The means, and in `NAME_low` and `NAME_high` their 95% intervals; lemmas are drawn, with all their forms.
    """
    return scored(form_counts(lemmas, list(values.values())), lambda sums: means(sums, list(values)), replicates)


def form_counts(lemmas: Sequence[str], values: Sequence[NDArray[Any]]) -> Floats:
    """Sum up the scores of forms, lemma by lemma.

    Args:
        lemmas: The lemma of each form.
        values: Scores of each, each `(forms,)`.

    Returns:
        `(lemmas, 1 + scores)`: how many forms each has, and the sum of each score.
    """
    numbers = {lemma: number for number, lemma in enumerate(dict.fromkeys(lemmas))}
    owner = numpy.array([numbers[lemma] for lemma in lemmas])
    return numpy.stack([numpy.bincount(owner, column) for column in (numpy.ones(len(lemmas)), *values)], axis=1)


def means(sums: NDArray[Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the means that follow from sums.

    Args:
        sums: `(..., 1 + scores)`, as of `form_counts`.
        names: What to call the scores.

    Returns:
        Each `(...)`.
    """
    return {name: sums[..., place] / sums[..., 0] for place, name in enumerate(names, 1)}


def edit_distance(one: str, other: str) -> int:
    """Return the fewest characters to insert, delete or exchange to make one word of another (Levenshtein, 1966)."""
    before = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        row = [place]
        for above, (beyond, theirs) in enumerate(zip(before[1:], other)):
            row.append(min(beyond + 1, row[-1] + 1, before[above] + (letter != theirs)))
        before = row
    return before[-1]
