"""Two hypotheses about when a language vector helps, each tested as such, with its number of cases and its interval."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from crosslingual.sweep_cells import ALL, Cell
from semeqv.lazy import Floats, numpy
from semeqv.results.statistics import mean_and_half

EXACT = 8  # of so many cases all orders are tried, and of twice as many all signs
DRAWN = 20_000  # orders of more cases
Gains = Mapping[str, Mapping[str, float]]  # by task, by language


@dataclass(frozen=True)
class Test:
    """A test of a hypothesis.

    Args:
        hypothesis: What it says.
        of: The tasks, and the models.
        statistic: What is measured.
        n: How many languages.
        value: The statistic; NaN where there are too few cases.
        low: Lower end of its 95% interval; NaN where there are too few cases.
        high: Upper end of it.
        p: How often chance gives as great a value or a greater one, of either sign.
        corrected: The same where all tests of a report are asked at once; NaN until `holm` has seen them all.
    """

    hypothesis: str
    of: str
    statistic: str
    n: int
    value: float
    low: float
    high: float
    p: float
    corrected: float = math.nan


def gains_of(cells: Sequence[Cell], model: str, kind: str, choice: str) -> dict[str, dict[str, float]]:
    """Return the mean gain of a kind of vector over runs, by task and target language."""
    by_task = dict[str, dict[str, float]]()
    for cell in cells:
        if (cell.model, cell.kind, cell.choice) == (model, kind, choice) and cell.language not in (ALL, cell.source):
            by_task.setdefault(cell.task, {})[cell.language] = cell.gain.mean
    return by_task


def hypothesis_tests(
    cells: Sequence[Cell],
    *,
    kind: str,
    choices: Sequence[str],
    semantic: Sequence[str],
    syntactic: Sequence[str],
    distances: Mapping[str, Mapping[str, float]],
) -> list[Test]:
    """Test both hypotheses, for the models trained from each base.

    Args:
        cells: What was measured.
        kind: Which vector: that of the language, or its analogy.
        choices: How its strength was chosen; a test for each.
        semantic: Tasks of meaning.
        syntactic: Tasks of form.
        distances: By the name of the measure: the distance of each language from the source.

    Returns:
        The tests; one that lacks tasks or distances is left out.
    """
    tests = []
    models = dict.fromkeys(by_language.model for by_language in cells)
    for model, choice in itertools.product(models, choices):
        gains, where = gains_of(cells, model, kind, choice), f"from {model}, strength {choice}"
        here = [[task for task in tasks if task in gains] for tasks in (semantic, syntactic)]
        if all(here):
            tests.append(semantic_against_syntactic(gains, here[0], here[1], where))
        for task, by_language in gains.items():
            for name, distance in distances.items():
                shared = [language for language in by_language if language in distance]
                if shared:
                    pairs = [(distance[language], by_language[language]) for language in shared]
                    tests.append(gain_against_distance(pairs, name, f"{task} {where}"))
    return holm(tests)


def holm(tests: Sequence[Test]) -> list[Test]:
    """Correct p of many tests for their number (Holm, 1979, Scandinavian Journal of Statistics 6).

    Of n tests the least p is multiplied by n, the next by n - 1, and so on; none becomes less than one before it, or
    more than 1.

    Args:
        tests: All that are asked at once.

    Returns:
        The same, in the same order, with `corrected` set where there is a p.
    """
    corrected, least = list(tests), 0.0
    order = sorted(
        (place for place, each in enumerate(corrected) if not math.isnan(each.p)), key=lambda at: corrected[at].p
    )
    for done, place in enumerate(order):
        least = max(least, min(1.0, (len(order) - done) * corrected[place].p))
        corrected[place] = replace(corrected[place], corrected=least)
    return corrected


def semantic_against_syntactic(gains: Gains, semantic: Sequence[str], syntactic: Sequence[str], of: str) -> Test:
    """Test whether tasks of meaning gain more than tasks of form.

    Languages are the cases: each gives the mean gain of its semantic tasks less that of its syntactic ones. The
    interval is Student's; p is that of the exact test in which each difference may have either sign. The tasks are
    those there are, so that nothing is said of others.

    Args:
        gains: By task and language.
        semantic: Tasks of meaning.
        syntactic: Tasks of form.
        of: What to say of the models.

    Returns:
        The test.
    """
    groups = [[gains[task] for task in tasks] for tasks in (semantic, syntactic)]
    languages = [name for name in groups[0][0] if all(name in each for group in groups for each in group)]
    means = [[fmean(each[name] for each in group) for group in groups] for name in languages]
    differences = [meaning - form for meaning, form in means]
    what = f"{' + '.join(semantic)} less {' + '.join(syntactic)}, {of}"
    return Test("semantic tasks gain more", what, "difference of gains", len(differences), *mean_of(differences))


def mean_of(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Return a mean, both ends of its interval, and p of the exact test of signs; NaN of fewer than two values."""
    if len(values) < 2:
        return (fmean(values) if values else math.nan), math.nan, math.nan, math.nan
    mean, half = mean_and_half(values)
    array = numpy.array(values)
    if len(values) <= 2 * EXACT:
        signs = numpy.array(list(itertools.product((1, -1), repeat=len(values))))
    else:
        signs = numpy.random.default_rng(0).choice((1, -1), (DRAWN, len(values)))
    p = share_beyond(signs @ array / len(values), mean)
    return mean, mean - half, mean + half, p


def gain_against_distance(pairs: Sequence[tuple[float, float]], measure: str, of: str) -> Test:
    """Test whether gains grow, or shrink, with the distance of the language.

    The statistic is Spearman's correlation of ranks over languages, its interval that of Bonett and Wright (2000,
    Psychometrika 65, doi 10.1007/BF02294183), p that of all orders.

    Args:
        pairs: Distance and gain of each language.
        measure: The measure of distance.
        of: What to say of the task.

    Returns:
        The test; of fewer than four languages it has no interval.
    """
    distance, gain = (ranks(each) for each in zip(*pairs))
    n, rho = len(pairs), correlation(distance, gain)
    low = high = p = math.nan
    if n > 3 and math.isfinite(rho):
        half = 1.959964 * math.sqrt((1 + rho**2 / 2) / (n - 3))
        at = math.atanh(min(max(rho, -0.999999), 0.999999))
        low, high = math.tanh(at - half), math.tanh(at + half)
        if n <= EXACT:
            orders = numpy.array(list(itertools.permutations(range(n))))
        else:
            orders = numpy.random.default_rng(0).permuted(numpy.tile(numpy.arange(n), (DRAWN, 1)), axis=1)
        apart, above = distance - distance.mean(), gain - gain.mean()
        p = share_beyond(above[orders] @ apart / (n * distance.std() * gain.std()), rho)
    return Test("gain goes with distance", of, f"rank correlation with {measure} distance", n, rho, low, high, p)


def ranks(values: Sequence[float]) -> Floats:
    """Rank values; equal ones have their mean rank."""
    array = numpy.array(values, numpy.float64)
    below, same = (compare(array[:, None], array).sum(1) for compare in (numpy.greater, numpy.equal))
    ranked: Floats = below + (same + 1) / 2
    return ranked


def correlation(first: Floats, second: Floats) -> float:
    """Return the correlation of ranks; NaN where all are the same."""
    return float(numpy.corrcoef(first, second)[0, 1]) if first.std() > 0 and second.std() > 0 else math.nan


def share_beyond(drawn: Floats, value: float) -> float:
    """Return the share of values that are as far from zero as one, up to rounding."""
    return float((numpy.abs(drawn) >= abs(value) - 1e-12).mean())
