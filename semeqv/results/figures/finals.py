"""The table of where the runs of a figure ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def summary(values: Sequence[float]) -> tuple[str, str, str, str]:
    """Return as text how many values there are, their mean, their median, and their range.

    What is no number is the end of a run that diverged: it is counted, and named, but not averaged.
    """
    import numpy

    ends = numpy.asarray(values, dtype=float)
    known = ends[numpy.isfinite(ends)]
    if not len(known):
        return f"{len(ends)} (all diverged)", "-", "-", "-"
    diverged = len(ends) - len(known)
    runs = f"{len(ends)} ({diverged} diverged)" if diverged else f"{len(ends)}"
    return runs, f"{known.mean():.3f}", f"{numpy.median(known):.3f}", f"{known.min():.3f}-{known.max():.3f}"


def span(epochs: Iterable[float]) -> str:
    """Return when runs ended, as text: one epoch, or the first and the last."""
    different = sorted(set(epochs))
    return "-".join(f"{epoch:.0f}" for epoch in (different[0], different[-1])[: len(different)])


def print_finals(title: str, name: str, rows: Iterable[tuple[str, str, Sequence[float]]], unit: str = "epoch") -> None:
    """Print the table.

    Args:
        title: What was measured.
        name: What a row is about.
        rows: Of each row its label, when its runs ended, and the values they ended with.
        unit: What tells when.
    """
    from rich.table import Table

    from semeqv.results.report import console

    table = Table(title=title, title_justify="left")
    table.add_column(name, overflow="fold")
    for heading in (unit, "runs", "mean", "median", "min-max"):
        table.add_column(heading, justify="right", no_wrap=True)
    for label, epochs, values in rows:
        table.add_row(label, epochs, *summary(values))
    console().print(table)
