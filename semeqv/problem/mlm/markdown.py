"""The report of the study on text as Markdown and as JSON, from numbers alone."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

from semeqv.engine.logs import finite
from semeqv.problem.mlm.experiments import Experiment
from semeqv.problem.mlm.findings import (
    CLOSE,
    COST,
    EMBEDDINGS,
    LEARNED,
    Estimate,
    Finding,
    Row,
    findings,
    losses,
    rows_of,
)

PREAMBLE = f"""\
# The tied-embedding study on text: theory and measurement

Common words get a *double*, a new token, and each occurrence of such a word is swapped for its double with a stated
probability. The two mean the same; at one half they also stand in the same contexts, so that the distributional
hypothesis (DH) holds for them, whatever it does for other words. Theory (Bertolotti & Cazzola, ICML 2024) then expects
the two to come close in the input embedding of a masked-language model, in its output embedding, and in the one that is
both when they are tied; at another probability, in the input embedding alone. They are compared with random pairs of
the same words, which share neither meaning nor contexts, and with words that follow each other in frequency.

Everything starts at random, so that before training a double is as far from its word as any other. What is called
close ends below {CLOSE:g} of the distance of random pairs. A difference of validation loss up to {COST:g} nats does not
count as a cost of tying, nor one below {LEARNED:g} nats as knowledge of contexts. The loss is of all tokens, and DH is
known to hold for words with doubles alone; it also depends on how early a run began to learn from contexts, which
with few seeds can be chance: look at the single runs. Distances are Euclidean; intervals are 95% bootstrap intervals
over runs and words.

The study was designed for larger models (experiments called `-paper`: 3 layers of width 128, first embeddings of
standard deviation 0.3, 15% of the tokens asked for, no positions). The others are cut to what a CPU does in minutes.
They know positions, because without them all hidden tokens of a row look alike to a model, and one of this size learns
next to nothing from context in that time. Where equally frequent doubles do not come close, that rarer ones do not
either says little: compare the ratios of distances between experiments.
"""

SETTINGS = (
    ("corpus", "dataset", ""),
    ("documents at most", "dataset", "documents"),
    ("probability of a swap", "dataset", "swap"),
    ("rows of a batch", "dataset", "batch_size"),
    ("tokens of a row", "dataset", "block_size"),
    ("packed", "dataset", "packing"),
    ("share of tokens asked for", "dataset", "mask_probability"),
    ("vocabulary without doubles", "tokenizer", "vocab_size"),
    ("layers", "model", "layers"),
    ("heads", "model", "heads"),
    ("width", "model", "embedding_size"),
    ("positions", "model", "positions"),
    ("standard deviation of the first embeddings", "model", "initializer_range"),
    ("learning rate", "optimizers", "learning_rate"),
    ("weight decay", "optimizers", "weight_decay"),
)


def to_markdown(experiments: Sequence[Experiment], figures: str) -> str:
    """Write the report.

    Args:
        experiments: What was run.
        figures: The folder of the figures, one for each experiment, as seen from the report; "" for none.

    Returns:
        The text of the file.
    """
    every = [finding for experiment in experiments for finding in findings(experiment)]
    met, failed = sum(each.met is True for each in every), sum(each.met is False for each in every)
    text = f"Of the {len(every)} statements below, {met} hold and {failed} do not"
    text += f"; {len(every) - met - failed} could not be measured.\n" if met + failed < len(every) else ".\n"
    return "\n".join([PREAMBLE, text, *(section(experiment, figures) for experiment in experiments)])


def section(experiment: Experiment, figures: str) -> str:
    """Write the part of one experiment."""
    name = harmless(experiment.name)
    lines = [f"## {name}", ""]
    if figures:
        lines += [f"![{name}]({figures}/{experiment.name}.png)", ""]
    for tied in (False, True):
        seeds = ", ".join(str(run.seed) for run in experiment.where(tied=tied))
        lines.append(f"- {'Tied' if tied else 'Untied'}: {f'seeds {seeds}' if seeds else 'no runs'}")
    steps = " or ".join(f"{count:,}" for count in sorted({run.steps for run in experiment.runs}))
    said = [(label, experiment.setting(word, option)) for label, word, option in SETTINGS]
    settings = [f"{label}: {harmless(value)}" for label, value in said if value not in ("", "0")]
    lines.append(f"- {'; '.join([f'Steps: {steps}', *settings])}")
    words = experiment.words
    lines += [f"- The {len(words)} words, from the most frequent on: *{harmless(' '.join(words))}*", ""]
    heading = ["embedding", "record", "word and double", "random pairs", "like frequency"]
    heading += ["double closer than random", "double closer than like frequency", "distance over that of random"]
    lines += ["Mean distances, and how words and doubles compare with the others:", ""]
    lines += table(heading, (cells(row) for row in rows_of(experiment)))
    bounds = sorted({f"{run.bound:.3f}" for run in experiment.runs if run.bound is not None})
    known = f" (no model that does not look at context can be below {' or '.join(bounds)})" if bounds else ""
    lines += ["", f"Validation loss, in nats a masked token{known}:", ""]
    lines += table(["embeddings", "mean", "each seed"], loss_cells(experiment))
    lines += ["", "What theory says, and what was measured:", ""]
    lines += [f"- {bullet(finding)}" for finding in findings(experiment)]
    return "\n".join(lines) + "\n"


def cells(row: Row) -> list[str]:
    """Return the cells of one embedding at one record."""
    distances = [f"{row.distances[kind]:.3f}" for kind in ("doubles", "random", "neighbours")]
    estimates = [row.closer["random"], row.closer["neighbours"], row.ratio["random"]]
    return [EMBEDDINGS[row.embedding], "first" if row.first else "last", *distances, *map(interval, estimates)]


def interval(estimate: Estimate) -> str:
    """Write a number and its interval."""
    return f"{estimate.value:.3f} [{estimate.low:.3f}-{estimate.high:.3f}]"


def loss_cells(experiment: Experiment) -> Iterable[list[str]]:
    """Yield the cells of the validation losses."""
    for tied, by_seed in losses(experiment).items():
        if by_seed:
            each = ", ".join(f"{seed}: {loss:.3f}" for seed, loss in sorted(by_seed.items()))
            yield ["tied" if tied else "untied", f"{sum(by_seed.values()) / len(by_seed):.3f}", each]


def bullet(finding: Finding) -> str:
    """Write one statement and its outcome."""
    verdict = {True: "holds", False: "**does not hold**", None: "not measured"}[finding.met]
    return f"{verdict}: {finding.theory}. Expected: {finding.claim}. Measured: {finding.measured}."


def harmless(text: str) -> str:
    """Return a text from a file or a folder's name as one line that Markdown shows as it is, HTML too."""
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", html.escape(" ".join(text.split()), quote=False))


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [f"| {' | '.join(row)} |" for row in (heading, *rows)]
    return [lines[0], "|" + "---|" * len(heading), *lines[1:]]


def to_json(experiments: Sequence[Experiment]) -> dict[str, Any]:
    """Return the numbers behind the report; what is no number is null."""
    found: dict[str, Any] = finite(
        {
            "experiments": [
                {
                    "name": experiment.name,
                    "runs": [run.followed.name for run in experiment.runs],
                    "steps": sorted({run.steps for run in experiment.runs}),
                    "settings": {label: experiment.setting(word, option) for label, word, option in SETTINGS},
                    "words": experiment.words,
                    "rows": [dataclasses.asdict(row) for row in rows_of(experiment)],
                    "loss without context": sorted({run.bound for run in experiment.runs if run.bound is not None}),
                    "losses": {"tied" if tied else "untied": each for tied, each in losses(experiment).items()},
                    "findings": [dataclasses.asdict(finding) for finding in findings(experiment)],
                }
                for experiment in experiments
            ]
        }
    )
    return found
