"""How far apart pairs of symbols are, over training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import click

from semeqv.grammar.action import AtLeast, Positional
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.curves import Ends, mean_and_halfwidth, pad, span
from semeqv.results.figures.drawing import Drawn, DrawnWithTable, Look, check_limits, figure_action
from semeqv.results.figures.legend import GREY, Entry, add_legend, key_of_runs
from semeqv.results.figures.style import (
    BAND,
    COLUMN,
    MEAN_LINE,
    RUN_LINE,
    count_epochs,
    label_ends,
    new_figure,
)
from semeqv.runs.reading import read_array

SHAPE = "(records, symbols, symbols)"


def check_view(options: Any) -> None:
    """Refuse limits that leave nothing between them: `ValueError`."""
    check_limits("ylim", options.ylim)


@figure_action("view", output="figures/distances.pdf", check=check_view)
def view(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    indexes: Sequence[tuple[int, int, str]] = (),
    etc: Annotated[int, AtLeast(1)] = 1,
    ylim: tuple[float, float] | None = None,
    showconf: bool = True,
    look: Look = Look(),
) -> DrawnWithTable:
    """Draw how far apart pairs of symbols are, over training: each run, and the mean of the runs.

    Two symbols at distance 0 have the same embedding. The distances at the end are printed as a table.

    Args:
        paths: Files of distances (.npy), one per run: (records, symbols, symbols).
        indexes: Two symbols, and what to call their pair; may be repeated.
        etc: Epochs between two records.
        ylim: Lower and upper limit of the distance.
        showconf: Draw the 95% confidence of the mean over runs (Student's t) as a band.
        look: How it looks.

    Returns:
        The figure, and the distances at the last record of each run.

    Raises:
        click.UsageError: There is no file or no pair, or (from `read_distances`) a file is wrong.
    """
    if not paths:
        raise click.UsageError("cli view: give one file of distances per run, such as runs/*/input_cdists.npy")
    if not indexes:
        raise click.UsageError('cli view: say which pairs to draw, such as --indexes 2 3 "same contexts"')
    runs = [read_distances(path, indexes) for path in paths]
    epochs = span((len(run) - 1) * etc for run in runs)
    rows = [
        (f"({first}, {second}) {label}", epochs, [run[-1, first, second] for run in runs])
        for first, second, label in indexes
    ]
    drawn = draw_distances(runs, indexes, etc=etc, ylim=ylim, showconf=showconf, look=look)
    return DrawnWithTable(drawn, Ends("Distance at the last record of each run", "pair", rows))


def draw_distances(
    runs: Sequence[numpy.ndarray],
    indexes: Sequence[tuple[int, int, str]],
    *,
    etc: int = 1,
    ylim: tuple[float, float] | None = None,
    showconf: bool = True,
    look: Look = Look(),
) -> matplotlib.figure.Figure:
    """Draw the distances of runs, each (records, symbols, symbols); other arguments are those of `view`."""
    entries, ends = [], []
    figure = new_figure(COLUMN, 2.15 + 0.15 * len(indexes), show=look.show)
    axes = figure.add_subplot()
    for (first, second, label), color in zip(indexes, look.colors(len(indexes))):
        stacked = pad([run[:, first, second] for run in runs])
        epochs = numpy.arange(stacked.shape[1]) * etc
        mean, half = mean_and_halfwidth(stacked)
        if len(runs) > 1:
            axes.plot(epochs, stacked.T, color=color, zorder=2, **RUN_LINE)
        if showconf:
            axes.fill_between(epochs, numpy.maximum(mean - half, 0), mean + half, color=color, zorder=1, **BAND)
        axes.plot(epochs, mean, color=color, zorder=3, **MEAN_LINE)
        entries.append(Entry(label, color))
        last = mean[numpy.isfinite(mean)][-1:]
        ends += [(value, f"{value:.2f}", color) for value in last]
    axes.set_ylabel("Euclidean distance between\nthe two (0: same embedding)")
    axes.margins(x=0)
    axes.set_ylim(*ylim or (0, axes.get_ylim()[1]))
    count_epochs(axes.xaxis)
    label_ends(axes, ends)
    key = key_of_runs(len(runs), band=showconf, ragged=len({len(run) for run in runs}) > 1)
    add_legend(figure, look.title, [*entries, *key])
    return figure


def read_distances(path: Path, indexes: Sequence[tuple[int, int, str]], option: str = "--indexes") -> numpy.ndarray:
    """Read the distances of one run.

    Args:
        path: The .npy file.
        indexes: Two symbols, and what to call their pair.
        option: By which they were given, for the message.

    Returns:
        Distances, (records, symbols, symbols).

    Raises:
        click.UsageError: The file is no such array, or lacks one of the symbols.
    """
    distances = read_array(path, SHAPE)
    symbols = distances.shape[1]
    if distances.shape[2] != symbols:
        raise click.UsageError(f"{path}: has shape {distances.shape}; expected {SHAPE}, as many rows as columns")
    for first, second, label in indexes:
        if not (0 <= first < symbols and 0 <= second < symbols):
            raise click.UsageError(
                f"{path}: has symbols 0 to {symbols - 1}; {option} {first} {second} '{label}' names another"
            )
    return distances


@figure_action("viewall", output="figures/all_distances.pdf")
def viewall(
    *,
    path: Path,
    special: Sequence[tuple[int, int, str]] = (),
    look: Look = Look(),
) -> Drawn:
    """Draw how far apart every pair of symbols of one run is, over its records; some pairs in a colour.

    Args:
        path: File of distances (.npy): (records, symbols, symbols).
        special: Two symbols, and the colour of their pair; may be repeated. The others are grey.
        look: How it looks.

    Returns:
        The figure.

    Raises:
        click.UsageError: There is no such colour, or (from `read_distances`) the file is wrong.
    """
    distances = read_distances(path, special, "--special")
    special = [(min(one, other), max(one, other), color) for one, other, color in special]
    for first, second, color in special:
        if not matplotlib.colors.is_color_like(color):
            raise click.UsageError(f"--special {first} {second} {color}: no such colour; write a name or a hex code")
    figure = new_figure(COLUMN, 2.15 + 0.15 * len(special), show=look.show)
    axes = figure.add_subplot()
    rows, columns = numpy.triu_indices(distances.shape[1], 1)
    axes.plot(distances[:, rows, columns], color=GREY, zorder=2, **RUN_LINE)
    for one, other, color in special:
        axes.plot(distances[:, one, other], color=color, zorder=3, **MEAN_LINE)
    axes.set_xlabel("record")
    axes.set_ylabel("Euclidean distance between\nthe two (0: same embedding)")
    axes.margins(x=0)
    axes.set_ylim(0, axes.get_ylim()[1])
    ends = [(float(distances[-1, one, other]), f"{one}, {other}", color) for one, other, color in special]
    label_ends(axes, [end for end in ends if numpy.isfinite(end[0])])
    entries = [Entry(f"{one}, {other}", color) for one, other, color in special]
    add_legend(figure, look.title, [*entries, Entry("the other pairs" if special else "each pair", GREY)])
    return Drawn(figure)
