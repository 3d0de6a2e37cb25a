"""What the theory says of an experiment, held against what was measured.

Symbols with the same meaning get close *input* embeddings; symbols in the same contexts get close *output*
embeddings; tying forces both, so that it is harmless only where the distributional hypothesis holds (Bertolotti &
Cazzola, ICML 2024). Every sentence here comes from numbers and stated limits, whichever way they fall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from semeqv.problem.verdicts import Finding
from semeqv.problem.xor.experiments import Experiment, Pair
from semeqv.problem.xor.statistics import Summary, count_reaching, learned_threshold, summarise

CLOSE_INPUT = 0.15
CLOSE = 0.1
APART_OUTPUT = 0.7
APART_TIED = 0.3
COST = 0.02  # of accuracy: a smaller difference of means does not count as a cost of tying


@dataclass(frozen=True)
class Distance:
    """The final distance of one pair, over runs; `first` is the median at the first record."""

    tied: bool
    embedding: str
    pair: Pair
    summary: Summary
    first: float


@dataclass(frozen=True)
class Accuracy:
    """The final accuracy on one split, by seed; `reaching` counts the runs that learned (None: Bayes unknown)."""

    tied: bool
    split: str
    by_seed: dict[int, float]
    summary: Summary
    reaching: int | None


def distances(experiment: Experiment) -> list[Distance]:
    """Return the final distances: of each pair, in each embedding, untied and tied."""
    found = []
    for tied in (False, True):
        runs = experiment.where(tied=tied)
        for embedding in ("input", "output", "shared"):
            having = [run for run in runs if embedding in run.distances]
            for pair in experiment.pairs if having else ():
                last = summarise(run.distances[embedding][pair] for run in having)
                first = summarise(run.first_distances[embedding][pair] for run in having).median
                found.append(Distance(tied, embedding, pair, last, first))
    return found


def accuracies(experiment: Experiment) -> list[Accuracy]:
    """Return the final accuracies: of each split, untied and tied."""
    found = []
    threshold = None if experiment.bayes is None else learned_threshold(experiment.bayes)
    for tied in (False, True):
        for split in ("train", "validation"):
            by_seed = {
                run.seed: run.accuracies[split] for run in experiment.where(tied=tied) if split in run.accuracies
            }
            if by_seed:
                reaching = None if threshold is None else count_reaching(by_seed.values(), threshold)
                found.append(Accuracy(tied, split, by_seed, summarise(by_seed.values()), reaching))
    return found


def acceptance(experiment: Experiment) -> list[Finding]:
    """Return what a faithful reproduction shows of the medians, each met or not."""
    rows = {(row.tied, row.embedding, row.pair): row for row in distances(experiment)}
    found = []
    for pair in experiment.pairs:
        for tied, embedding, sign, limit, theory in expectations(experiment.contexts[pair]):
            which = "tied" if tied else f"untied {embedding}"
            row = rows.get((tied, embedding, pair))
            found.append(
                finding(theory.format(pair=pair), f"{which} {pair}: median {sign} {limit:g}", row, sign, limit)
            )
    return found


def expectations(same: bool | None) -> list[tuple[bool, str, str, float, str]]:
    """Return what the theory expects of a pair.

    Args:
        same: Whether the symbols of the pair, which mean the same, occur in the same contexts too; None if unknown.

    Returns:
        For each expectation: whether of tied runs, of which embedding, below (`<`) or above (`>`) which limit, and why,
        with `{pair}` where the pair goes.
    """
    meaning = "{pair} mean the same, so their input embeddings are close"
    found = [(False, "input", "<", CLOSE_INPUT, meaning)]
    if same:
        contexts = "{pair} occur in the same contexts, so their output embeddings are close"
        both = "tied, meaning and contexts both draw {pair} together, so the embedding they share is close"
        found += [(False, "output", "<", CLOSE, contexts), (True, "shared", "<", CLOSE, both)]
    elif same is not None:
        contexts = "{pair} occur in different contexts, so their output embeddings are apart"
        both = "tied, meaning draws {pair} together and contexts draw them apart, so they stay apart"
        found += [(False, "output", ">", APART_OUTPUT, contexts), (True, "shared", ">", APART_TIED, both)]
    return found


def finding(theory: str, claim: str, row: Distance | None, sign: str, limit: float) -> Finding:
    """Hold the median of a distance against a limit."""
    if row is None or math.isnan(row.summary.median):
        return Finding(theory, claim, "no run to measure it on" if row is None else "every run diverged", None)
    median = row.summary.median
    seen = f"{median:.3f} over {row.summary.runs - row.summary.diverged} runs, {row.first:.2f} at the first record"
    return Finding(theory, claim, seen, median < limit if sign == "<" else median > limit)


def cost_of_tying(experiment: Experiment) -> Finding | None:
    """Hold the accuracy lost by tying against what the theory expects; None where it expects nothing known."""
    known = [same for same in experiment.contexts.values() if same is not None]
    rows = {row.tied: row for row in accuracies(experiment) if row.split == "train"}
    if not known:
        return None
    expected = not all(known)
    if expected:
        theory = (
            "tied, one embedding cannot serve both meaning and contexts where they disagree, so tying costs accuracy"
        )
    else:
        theory = "tied, meaning and contexts agree for every pair, so tying costs no accuracy"
    claim = f"training accuracy lost by tying {'>' if expected else '<='} {COST:g}"
    if len(rows) < 2 or any(math.isnan(row.summary.mean) for row in rows.values()):
        return Finding(theory, claim, "needs tied and untied runs with training accuracy", None)
    untied, tied = rows[False], rows[True]
    cost = untied.summary.mean - tied.summary.mean
    seeds = sorted(untied.by_seed.keys() & tied.by_seed.keys())
    worse = sum(tied.by_seed[seed] < untied.by_seed[seed] for seed in seeds)
    seen = f"{cost:.3f}, from a mean of {untied.summary.mean:.3f} untied to {tied.summary.mean:.3f} tied"
    if seeds:
        seen += f"; the tied run is the worse one for {worse} of {len(seeds)} seeds"
    if experiment.bayes is not None and untied.reaching is not None and tied.reaching is not None:
        threshold = learned_threshold(experiment.bayes)
        seen += (
            f"; accuracy {threshold:g} is reached by {untied.reaching} of {untied.summary.runs} untied "
            f"and {tied.reaching} of {tied.summary.runs} tied runs"
        )
    return Finding(theory, claim, seen, (cost > COST) == expected)
