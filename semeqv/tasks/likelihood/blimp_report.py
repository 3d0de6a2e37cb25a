"""What `cli blimp` prints and writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy
from numpy.typing import NDArray

from semeqv.results.intervals import interval
from semeqv.results.tables import print_table
from semeqv.runs.json_lines import write_lines
from semeqv.tasks.likelihood.minimal_pairs import MinimalPair

LEVELS = ("paradigm", "phenomenon", "field")


def summed_up(
    pairs: Sequence[MinimalPair], nats: NDArray[numpy.float64], replicates: int, seed: int
) -> list[dict[str, Any]]:
    """Accuracies: of paradigms, of phenomena, of fields, of all.

    Args:
        pairs: The pairs.
        nats: `(pairs, 2)`, how unexpected good and bad are.
        replicates: Samples of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        A line for each, in this order; `low` and `high` are the ends of a 95% interval.
    """
    right, generator = nats[:, 0] < nats[:, 1], numpy.random.default_rng(seed)
    paradigms = numpy.array([pair.paradigm for pair in pairs])
    outcomes = {paradigm: right[paradigms == paradigm] for paradigm in dict.fromkeys(paradigms.tolist())}
    lines = []
    for level in LEVELS:
        members = dict[str, dict[str, None]]()
        for pair in pairs:
            members.setdefault(getattr(pair, level), {})[pair.paradigm] = None
        for name, within in sorted(members.items()):
            lines.append(line(level, name, [outcomes[paradigm] for paradigm in within], replicates, generator))
    return [*lines, line("all", "all", list(outcomes.values()), replicates, generator)]


def line(
    level: str, name: str, groups: list[NDArray[numpy.bool_]], replicates: int, generator: numpy.random.Generator
) -> dict[str, Any]:
    """The mean accuracy of some paradigms, as JSON."""
    low, high = interval(groups, replicates, generator)
    return {
        "level": level,
        "of": name,
        "accuracy": float(numpy.mean([group.mean() for group in groups])),
        "low": low,
        "high": high,
        "paradigms": len(groups),
        "pairs": sum(map(len, groups)),
    }


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    rows = [
        [each["level"], each["of"], f"{each['accuracy']:.3f}", f"{each['low']:.3f}-{each['high']:.3f}"]
        for each in lines
    ]
    counted = [[*row, f"{each['pairs']:,}"] for row, each in zip(rows, lines)]
    title = f"Grammatical sentences that are the more probable ones, {lines[0]['model']}"
    print_table(title, ("of a", "", "accuracy", "95% interval", "pairs"), counted, words=2)


def write_scores(path: Path, pairs: Sequence[MinimalPair], nats: NDArray[numpy.float64]) -> None:
    """Write the log-likelihoods of every pair.

    Args:
        path: The file; `UserError` is raised when it cannot be written.
        pairs: The pairs.
        nats: `(pairs, 2)`, how unexpected good and bad are.
    """
    lines = [
        {"UID": pair.paradigm, "sentence_good": pair.good, "sentence_bad": pair.bad, "good": -good, "bad": -bad}
        for pair, (good, bad) in zip(pairs, nats.tolist())
    ]
    write_lines(path, lines)
    click.echo(f"wrote {path}")
