"""A part of the results of the study, and what methods are called and given in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from semeqv.results.tables import Table
from semeqv.runs.reading import METRICS, Line, read_metrics

GIVEN = {
    "original": "the model's own tokenizer",
    "random": "nothing",
    "mean": "nothing",
    "subword-mean": "nothing",
    "focus": "text",
    "omp": "text",
    "wechsel": "aligned text",
    "ofa": "aligned text",
    "hyperofa": "aligned text",
    "hyperofa-setformer": "aligned text",
    "pairs": "aligned text, new rows without it",
    "map-orthogonal": "aligned text, own tokenizer",
    "map-linear": "aligned text, own tokenizer",
    "bag": "aligned text, no model",
}


CONTROLS = ("bag", "map-orthogonal", "map-linear", "pairs")


LANGUAGES = {"de": "German", "deu": "German", "es": "Spanish", "fr": "French", "fra": "French", "drask": "drask"}


@dataclass(frozen=True)
class Part:
    """A part of the results.

    Args:
        kind: What was measured: retrieval, layers, pretraining or hypernetworks.
        name: The run.
        tables: Its tables.
        findings: What they show, in sentences made from the numbers.
        numbers: The numbers, as JSON.
    """

    kind: str
    name: str
    tables: list[Table]
    findings: list[str]
    numbers: list[dict[str, Any]] = field(default_factory=list)

    def markdown(self) -> str:
        """Write its tables, each under its title, and what they show."""
        tables = [f"### {table.title}\n\n{table.markdown()}" for table in self.tables]
        return "\n".join([*tables, "".join(f"- {sentence}\n" for sentence in self.findings)])


def runs(folder: Path, inside: str) -> Iterator[tuple[str, str, list[Line]]]:
    """Yield the runs of all methods and seeds, in the order of the methods.

    Args:
        folder: Of the experiment.
        inside: Where in it the folders SEED-METHOD are.

    Yields:
        The method, the seed, and the lines of its metrics.

    Raises:
        click.UsageError: There is none.
    """
    files = []
    for file in (folder / inside).glob(f"*/{METRICS}"):
        seed, _, method = file.parent.name.partition("-")
        if seed.isdigit() and method:
            files.append((place(method), int(seed), method, file))
    if not files:
        raise click.UsageError(f"{folder}: there is no {inside}/SEED-METHOD/{METRICS}; run the experiment first")
    for _, number, method, file in sorted(files):
        yield method, str(number), read_metrics(file)


def place(method: str) -> tuple[int, int]:
    """Return where a method stands in tables; OFA with few coordinates before OFA with more, and with all last."""
    base, _, rest = method.rpartition("-")
    names = list(GIVEN)
    if rest.isdigit():
        return (names.index(base), int(rest)) if base in names else (len(names), int(rest))
    return (names.index(method), 10**9) if method in names else (len(names), 0)


def given(method: str) -> str:
    """Return what a method is given."""
    base, _, rest = method.rpartition("-")
    return GIVEN.get(base if rest.isdigit() else method, "")


def mean(values: Sequence[float]) -> str:
    """Write the mean of the values of seeds, and half of their range where there are several."""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{fmean(values):.3f} ± {(max(values) - min(values)) / 2:.3f}"


def compared(one: str, ours: tuple[float, float, float], other: str, theirs: tuple[float, float, float]) -> str:
    """Say which of two is higher, as far as their intervals tell.

    Args:
        one: What to call the first.
        ours: Its mean, and the ends of its interval.
        other: What to call the second.
        theirs: Likewise.

    Returns:
        A clause.
    """
    if ours[1] > theirs[2]:
        how = "is above"
    elif ours[2] < theirs[1]:
        how = "is below"
    else:
        how = "cannot be told from"
    return f"{one} ({spelled(ours)}) {how} {other} ({spelled(theirs)})"


def spelled(value: tuple[float, float, float]) -> str:
    """Write a mean with its interval."""
    return f"{value[0]:.3f} [{value[1]:.3f}-{value[2]:.3f}]"
