"""What the theory says of an experiment, held against what was measured.

Symbols with the same meaning get close *input* embeddings; symbols in the same contexts get close *output*
embeddings; tying forces both, so that it is harmless only where the distributional hypothesis holds (Bertolotti &
Cazzola, ICML 2024). Every sentence here comes from numbers and stated limits, whichever way they fall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from semeqv.tying.verdicts import Finding
from semeqv.tying.xor.experiments import Experiment, Pair
from semeqv.tying.xor.statistics import NEAR_PLATEAU, Summary, count_reaching, decided, learned_threshold, summarise

CLOSE_INPUT = 0.15
CLOSE = 0.1
APART_OUTPUT = 0.7
APART_TIED = 0.3
COST = 0.02  # of accuracy: a smaller mean difference does not count as a cost of tying


@dataclass(frozen=True)
class Distance:
    """The final distance of one pair, over runs.

    `first` is the median at the first record; `control` the median over runs of the distance of the two symbols of
    different meaning that are nearest to each other, and `nearer` in how many runs the pair is nearer than those.
    """

    tied: bool
    embedding: str
    pair: Pair
    summary: Summary
    first: float
    control: float
    nearer: int


@dataclass(frozen=True)
class Accuracy:
    """The final accuracy on one split, by seed.

    `reaching` counts the runs that learned (None: Bayes unknown), `idle` those that learned nothing of the context
    (None: the plateau is unknown).
    """

    tied: bool
    split: str
    by_seed: dict[int, float]
    summary: Summary
    reaching: int | None
    idle: int | None


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
                control = summarise(run.controls[embedding] for run in having).median
                nearer = sum(run.distances[embedding][pair] < run.controls[embedding] for run in having)
                found.append(Distance(tied, embedding, pair, last, first, control, nearer))
    return found


def accuracies(experiment: Experiment) -> list[Accuracy]:
    """Return the final accuracies: of each split, untied and tied."""
    found = []
    threshold = None if experiment.bayes is None else learned_threshold(experiment.bayes)

    def idle(by_seed: dict[int, float]) -> int | None:
        if experiment.plateau is None:
            return None
        return sum(value <= experiment.plateau + NEAR_PLATEAU for value in by_seed.values())

    for tied in (False, True):
        for split in ("train", "validation"):
            by_seed = {
                run.seed: run.accuracies[split] for run in experiment.where(tied=tied) if split in run.accuracies
            }
            if by_seed:
                reaching = None if threshold is None else count_reaching(by_seed.values(), threshold)
                found.append(Accuracy(tied, split, by_seed, summarise(by_seed.values()), reaching, idle(by_seed)))
    return found


def acceptance(experiment: Experiment) -> list[Finding]:
    """Return what a faithful reproduction shows of the medians, each met, not met, not decided or not measured."""
    rows = {(row.tied, row.embedding, row.pair): row for row in distances(experiment)}
    found = []
    for pair in experiment.pairs:
        for tied, embedding, sign, limit, theory in expectations(experiment.contexts[pair]):
            which = "tied" if tied else f"untied {embedding}"
            row = rows.get((tied, embedding, pair))
            claim = f"{which} {pair}: median {sign} {limit:g}"
            found.append(finding(theory.format(pair=pair), claim, row, sign, limit, why=why_not(experiment, tied)))
    return found


def why_not(experiment: Experiment, tied: bool) -> str | None:
    """Say why runs are no evidence of where distances end; None when they are."""
    runs = experiment.where(tied=tied)
    if not all(run.finished for run in runs):
        return "some runs have not taken all their steps"
    if 2 * sum(run.falling for run in runs) > len(runs):
        return "embeddings that are to be close were still nearing at the end of most runs"
    return None


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


def finding(theory: str, claim: str, row: Distance | None, sign: str, limit: float, *, why: str | None) -> Finding:
    """Hold a distance against a limit.

    Args:
        theory: What the theory says.
        claim: What that means for the distance.
        row: The distance; None where no run has it.
        sign: `<` or `>`.
        limit: The limit.
        why: Why the runs are no evidence; None when they are.

    Returns:
        What was found. That two symbols are close is only decided where they are nearer to each other, in every run,
        than any two symbols of different meaning.
    """
    if row is None or math.isnan(row.summary.median):
        return Finding(theory, claim, "no run to measure it on" if row is None else "every run diverged", None)
    summary = row.summary
    runs = summary.runs - summary.diverged
    seen = f"{summary.median:.3f} over {runs} runs (mean {interval(summary)}), {row.first:.2f} at the first record"
    if not math.isnan(row.control):
        seen += f"; symbols of different meaning {row.control:.2f} or more apart, in the median run"
    if why is not None:
        return Finding(theory, claim, f"{seen}; {why}", None)
    met = decided(summary, sign, limit)
    if met and sign == "<" and not math.isnan(row.control) and row.nearer < runs:
        seen += f"; nearer than those in {row.nearer} of {runs} runs only"
        met = None
    return Finding(theory, claim, seen, met, undecided=met is None)


def interval(summary: Summary) -> str:
    """Write a mean and its 95% interval."""
    if math.isnan(summary.low):
        return f"{summary.mean:.3f}, one run"
    return f"{summary.mean:.3f}, 95% CI {summary.low:.3f} to {summary.high:.3f}"


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
    lacking = Finding(theory, claim, "needs tied and untied runs of the same seeds with training accuracy", None)
    if len(rows) < 2:
        return lacking
    untied, tied = rows[False], rows[True]
    seeds = sorted(untied.by_seed.keys() & tied.by_seed.keys())
    cost = summarise(untied.by_seed[seed] - tied.by_seed[seed] for seed in seeds)
    if math.isnan(cost.mean):
        return lacking
    worse = sum(tied.by_seed[seed] < untied.by_seed[seed] for seed in seeds)
    seen = f"mean {interval(cost)}, over the {len(seeds)} seeds that have both"
    seen += f"; {untied.summary.mean:.3f} untied, {tied.summary.mean:.3f} tied"
    seen += f"; the tied run is the worse one for {worse} of {len(seeds)} seeds"
    if experiment.bayes is not None and untied.reaching is not None and tied.reaching is not None:
        threshold = learned_threshold(experiment.bayes)
        seen += (
            f"; accuracy {threshold:g} is reached by {untied.reaching} of {untied.summary.runs} untied "
            f"and {tied.reaching} of {tied.summary.runs} tied runs"
        )
    if not all(run.finished for run in experiment.runs):
        return Finding(theory, claim, f"{seen}; some runs have not taken all their steps", None)
    met = decided(cost, ">" if expected else "<", COST)
    return Finding(theory, claim, seen, met, undecided=met is None)
