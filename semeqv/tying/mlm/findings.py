"""What the theory says of words and their doubles, held against what was measured.

A word and its double mean the same, and stand in the same contexts when each is as likely as the other: the
distributional hypothesis holds for them, so that their input embeddings, their output embeddings and the embedding that
both share when tied are to be close (Bertolotti & Cazzola, ICML 2024). When one is likelier it fails, and only their
input embeddings are to be close. Every sentence here comes from numbers and stated limits, whichever way they fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from semeqv.lazy import numpy
from semeqv.tying.closeness import probability_closer
from semeqv.tying.mlm.experiments import Experiment, Run
from semeqv.tying.verdicts import Finding

EVEN = 0.5  # the probability of a swap at which word and double are equally frequent
CLOSE = 0.5  # of the distance of random pairs: what is below counts as close
COST = 0.02  # nats of validation loss: less does not count as a cost of tying
LEARNED = 0.3  # nats of validation loss below what can be had without context: less does not count as learning from it
REPLICATES, SEED = 1000, 14
EMBEDDINGS = {"input": "untied input", "output": "untied output", "tied": "tied"}


@dataclass(frozen=True)
class Estimate:
    """A number, its 95% interval, and its value in each run by seed."""

    value: float
    low: float
    high: float
    by_seed: dict[int, float]


@dataclass(frozen=True)
class Row:
    """How words and their doubles compare with other pairs in one embedding.

    Args:
        embedding: `input`, `output` or `tied`.
        first: At the first record instead of the last.
        distances: Mean distance over pairs and runs, by kind of pair.
        closer: Probability that a word is closer to its double than a pair of the kind is, by kind.
        ratio: Mean distance of words and their doubles over that of pairs of the kind, by kind.
    """

    embedding: str
    first: bool
    distances: dict[str, float]
    closer: dict[str, Estimate]
    ratio: dict[str, Estimate]


@cache
def rows_of(experiment: Experiment) -> list[Row]:
    """Return what was measured in every embedding, at the first and at the last record."""
    found = []
    for embedding in EMBEDDINGS:
        runs = [run for run in experiment.runs if embedding in run.followed.distances]
        found += [row_of(embedding, runs, first) for first in (True, False) if runs]
    return found


def row_of(embedding: str, runs: Sequence[Run], first: bool) -> Row:
    """Measure one embedding at its first or last record."""
    at = {kind: at_record(runs, embedding, kind, first) for kind in ("doubles", "random", "neighbours")}
    distances = {kind: float(numpy.mean(list(each.values()))) for kind, each in at.items()}
    others = ("random", "neighbours")
    closer = {kind: estimate(probability_closer, at["doubles"], at[kind]) for kind in others}
    ratio = {kind: estimate(ratio_of, at["doubles"], at[kind]) for kind in others}
    return Row(embedding, first, distances, closer, ratio)


def at_record(runs: Sequence[Run], embedding: str, kind: str, first: bool) -> dict[int, numpy.ndarray]:
    """Return the distances of a kind of pair at the first or last record, by seed: (pairs,)."""
    return {run.seed: run.followed.distances[embedding][kind][0 if first else -1] for run in runs}


def ratio_of(near: numpy.ndarray, far: numpy.ndarray, weights: Any = None) -> float:
    """The mean of distances over the mean of others, both weighed alike."""
    return float(numpy.average(near, weights=weights) / numpy.average(far, weights=weights))


def estimate(statistic: Any, near: dict[int, numpy.ndarray], far: dict[int, numpy.ndarray]) -> Estimate:
    """Estimate a statistic of two groups of pairs as its mean over runs.

    Its interval is a percentile bootstrap (Efron & Tibshirani, 1993) that draws runs, and words, the same in all runs.

    Args:
        statistic: Of near and far distances and the weights of the words.
        near: Distances by seed, (words,).
        far: Distances by seed; those of word i and another, or, where there are fewer, of as many words.

    Returns:
        The estimate.
    """
    count = min(len(next(iter(each.values()))) for each in (near, far))
    near, far = ({seed: each[:count] for seed, each in group.items()} for group in (near, far))
    by_seed = {seed: float(statistic(near[seed], far[seed])) for seed in near}
    generator, seeds, found = numpy.random.default_rng(SEED), sorted(near), []
    for _ in range(REPLICATES):
        words = numpy.bincount(generator.integers(count, size=count), minlength=count).astype(float)
        drawn = [seeds[place] for place in generator.integers(len(seeds), size=len(seeds))]
        found.append(numpy.mean([statistic(near[seed], far[seed], words) for seed in drawn]))
    low, high = numpy.quantile(found, [0.025, 0.975])
    return Estimate(float(numpy.mean(list(by_seed.values()))), float(low), float(high), by_seed)


def findings(experiment: Experiment) -> list[Finding]:
    """Return what the theory says of an experiment, each statement met or not."""
    rows = {(row.embedding, row.first): row for row in rows_of(experiment)}
    found = []
    for embedding, which in EMBEDDINGS.items():
        row, start = rows.get((embedding, False)), rows.get((embedding, True))
        if not even(experiment) and embedding != "input":
            found.append(apart(which, row))
            continue
        for kind, others in (("random", "random words are"), ("neighbours", "words of like frequency are")):
            theory = f"{which}: a word is closer to its double than {others}"
            claim = "probability above .5, the lower end of its interval too"
            seen = None if row is None else row.closer[kind]
            found.append(Finding(theory, claim, said(seen), None if seen is None else seen.low > 0.5))
        theory = f"{which}: a word and its double are close"
        claim = f"mean distance below {CLOSE:g} of that of random pairs, the upper end of its interval too"
        seen, before = (None if each is None else each.ratio["random"] for each in (row, start))
        measured = said(seen) + (f"; {before.value:.3f} before training" if before else "")
        found.append(Finding(theory, claim, measured, None if seen is None else seen.high < CLOSE))
    return [*found, cost_of_tying(experiment), use_of_context(experiment)]


def even(experiment: Experiment) -> bool:
    """Whether words and doubles are equally frequent, so that they stand in the same contexts."""
    return experiment.setting("dataset", "swap") in ("", str(EVEN))


def apart(which: str, row: Row | None) -> Finding:
    """Hold a word and a double that is rarer, or more frequent, against what is expected where contexts count."""
    theory = f"{which}: a word and its double, of unlike frequency, are not close"
    claim = f"mean distance at least {CLOSE:g} of that of random pairs, the lower end of its interval too"
    seen = None if row is None else row.ratio["random"]
    return Finding(theory, claim, said(seen), None if seen is None else seen.low >= CLOSE)


def said(estimate: Estimate | None) -> str:
    """Write an estimate with its interval and the single runs."""
    if estimate is None:
        return "no run to measure it on"
    each = ", ".join(f"{seed}: {value:.3f}" for seed, value in sorted(estimate.by_seed.items()))
    return f"{estimate.value:.3f} [{estimate.low:.3f}-{estimate.high:.3f}] ({each})"


def losses(experiment: Experiment) -> dict[bool, dict[int, float]]:
    """Return the last validation losses by seed, of untied (False) and tied runs."""
    return {
        tied: {run.seed: run.loss for run in experiment.where(tied=tied) if run.loss is not None}
        for tied in (False, True)
    }


def cost_of_tying(experiment: Experiment) -> Finding:
    """Hold the validation loss that tying costs against the theory: none if words and doubles are equally frequent."""
    holds = even(experiment)
    theory = f"tying costs {'nothing where the hypothesis holds' if holds else 'where the hypothesis fails'}"
    claim = f"validation loss {'at most' if holds else 'more than'} {COST:g} nats higher when tied, for every seed"
    by = losses(experiment)
    both = sorted(by[False].keys() & by[True].keys())
    if not both:
        return Finding(theory, claim, "needs tied and untied runs with a validation set", None)
    costs = {seed: by[True][seed] - by[False][seed] for seed in both}
    each = ", ".join(f"{seed}: {cost:+.3f}" for seed, cost in costs.items())
    mean = sum(costs.values()) / len(costs)
    met = max(costs.values()) <= COST if holds else min(costs.values()) > COST
    return Finding(theory, claim, f"{mean:+.3f} ({each})", met)


def use_of_context(experiment: Experiment) -> Finding:
    """Hold the validation losses against the lowest one without context: only a model that reads it can know more."""
    theory = "the models know contexts: without that, nothing above says anything of them"
    claim = f"validation loss at least {LEARNED:g} nats below the lowest one without context, for every run"
    gains = [run.bound - run.loss for run in experiment.runs if run.loss is not None and run.bound is not None]
    if not gains:
        return Finding(theory, claim, "needs a validation set of masked text", None)
    return Finding(theory, claim, f"{min(gains):.3f} to {max(gains):.3f}", min(gains) >= LEARNED)
