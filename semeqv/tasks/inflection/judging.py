"""From forms and what was written in their place to scores and their intervals."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

from semeqv.tasks.bootstrap import intervals

if TYPE_CHECKING:
    from semeqv.tasks.inflection.reading import Form


def judged(forms: "Sequence[Form]", values: Mapping[str, NDArray[Any]], replicates: int) -> dict[str, float]:
    """The means of some scores over forms.

    Args:
        forms: The forms.
        values: Scores of each form, `(forms,)`, by name.
        replicates: Bootstrap samples of the intervals; 0 for none.

    Returns:
        The means, and in `NAME_low` and `NAME_high` their 95% intervals; lemmas are drawn, with all their forms.
    """
    lemmas = {lemma: number for number, lemma in enumerate(dict.fromkeys(form.lemma for form in forms))}
    owner = numpy.array([lemmas[form.lemma] for form in forms])
    columns = [numpy.ones(len(forms)), *values.values()]
    counts = numpy.stack([numpy.bincount(owner, column) for column in columns], axis=1)  # (lemmas, 1 + scores)

    def means(sums: NDArray[Any]) -> dict[str, Any]:
        return {name: sums[..., place] / sums[..., 0] for place, name in enumerate(values, 1)}

    found = {name: float(value) for name, value in means(counts.sum(0)).items()}
    if replicates:
        for name, ends in intervals(counts, means, replicates).items():
            found |= dict(zip((f"{name}_low", f"{name}_high"), ends))
    return found


def edit_distance(one: str, other: str) -> int:
    """The fewest characters to insert, delete or exchange to make one word of another (Levenshtein, 1966)."""
    before = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        row = [place]
        for above, (beyond, theirs) in enumerate(zip(before[1:], other)):
            row.append(min(beyond + 1, row[-1] + 1, before[above] + (letter != theirs)))
        before = row
    return before[-1]
