"""How far apart pairs of symbols are, over training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import click

from semeqv.grammar.component import component, positional
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.curves import mean_and_halfwidth, pad, print_finals, span
from semeqv.results.figures.drawing import Drawing, check_limits, check_positive
from semeqv.results.figures.legend import GREY, Entry, add_legend, key_of_runs
from semeqv.results.figures.style import (
    BAND,
    COLUMN,
    MEAN_LINE,
    RUN_LINE,
    colors,
    count_epochs,
    finish,
    house_style,
    label_ends,
    new_figure,
)
from semeqv.runs.reading import read_array

SHAPE = "(records, symbols, symbols)"


@component("view")
@dataclass(frozen=True, kw_only=True)
class View(Drawing):
    """Draw how far apart pairs of symbols are, over training: each run, and the mean of the runs.

    Two symbols at distance 0 have the same embedding. The distances at the end are printed as a table.

    Args:
        paths: Files of distances (.npy), one per run: (records, symbols, symbols).
        indexes: Two symbols, and what to call their pair; may be repeated.
        etc: Epochs between two records.
        ylim: Lower and upper limit of the distance.
        showconf: Draw the 95% confidence of the mean over runs (Student's t) as a band.
    """

    paths: tuple[Path, ...] = positional()
    indexes: list[tuple[int, int, str]] = field(default_factory=list)
    etc: int = 1
    ylim: tuple[float, float] | None = None
    showconf: bool = True
    output: Path = field(default=Path("figures/distances.pdf"), metadata={"alias": "path"})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("etc", self.etc)
        check_limits("ylim", self.ylim)

    def build(self) -> None:
        """Read the files, print the table, write the figure."""

        if not self.paths:
            raise click.UsageError("cli view: give one file of distances per run, such as runs/*/input_cdists.npy")
        if not self.indexes:
            raise click.UsageError('cli view: say which pairs to draw, such as --indexes 2 3 "same contexts"')
        runs = [read_distances(path, self.indexes) for path in self.paths]
        epochs = span((len(run) - 1) * self.etc for run in runs)
        rows = [
            (f"({first}, {second}) {label}", epochs, [run[-1, first, second] for run in runs])
            for first, second, label in self.indexes
        ]
        print_finals("Distance at the last record of each run", "pair", rows)
        with house_style():
            finish(self.draw(runs), self.output, show=self.show, transparent=self.transparent)

    def draw(self, runs: list[numpy.ndarray]) -> matplotlib.figure.Figure:
        """Draw the distances of all runs, each (records, symbols, symbols)."""

        entries, ends = [], []
        figure = new_figure(COLUMN, 2.15 + 0.15 * len(self.indexes), show=self.show)
        axes = figure.add_subplot()
        for (first, second, label), color in zip(self.indexes, colors(len(self.indexes), self.palette, self.color)):
            stacked = pad([run[:, first, second] for run in runs])
            epochs = numpy.arange(stacked.shape[1]) * self.etc
            mean, half = mean_and_halfwidth(stacked)
            if len(runs) > 1:
                axes.plot(epochs, stacked.T, color=color, zorder=2, **RUN_LINE)
            if self.showconf:
                axes.fill_between(epochs, numpy.maximum(mean - half, 0), mean + half, color=color, zorder=1, **BAND)
            axes.plot(epochs, mean, color=color, zorder=3, **MEAN_LINE)
            entries.append(Entry(label, color))
            last = mean[numpy.isfinite(mean)][-1:]
            ends += [(value, f"{value:.2f}", color) for value in last]
        axes.set_ylabel("Euclidean distance between\nthe two (0: same embedding)")
        axes.margins(x=0)
        axes.set_ylim(*self.ylim or (0, axes.get_ylim()[1]))
        count_epochs(axes.xaxis)
        label_ends(axes, ends)
        key = key_of_runs(len(runs), band=self.showconf, ragged=len({len(run) for run in runs}) > 1)
        add_legend(figure, self.title, [*entries, *key])
        return figure


def read_distances(path: Path, indexes: list[tuple[int, int, str]], option: str = "--indexes") -> numpy.ndarray:
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


@component("viewall")
@dataclass(frozen=True, kw_only=True)
class ViewAll(Drawing):
    """Draw how far apart every pair of symbols of one run is, over its records; some pairs in a colour.

    Args:
        path: File of distances (.npy): (records, symbols, symbols).
        special: Two symbols, and the colour of their pair; may be repeated. The others are grey.
    """

    path: Path
    special: list[tuple[int, int, str]] = field(default_factory=list)
    output: Path = Path("figures/all_distances.pdf")

    def build(self) -> None:
        """Read the file and write the figure."""

        special = [(min(one, other), max(one, other), color) for one, other, color in self.special]
        distances = read_distances(self.path, self.special, "--special")
        with house_style():
            finish(self.draw(distances, special), self.output, show=self.show, transparent=self.transparent)

    def draw(self, distances: numpy.ndarray, special: list[tuple[int, int, str]]) -> matplotlib.figure.Figure:
        """Draw the distances of a run.

        Args:
            distances: (records, symbols, symbols).
            special: Two symbols, the smaller first, and a colour.

        Returns:
            The figure, not yet written.

        Raises:
            click.UsageError: There is no such colour.
        """

        for first, second, color in special:
            if not matplotlib.colors.is_color_like(color):
                raise click.UsageError(
                    f"--special {first} {second} {color}: no such colour; write a name or a hex code"
                )
        figure = new_figure(COLUMN, 2.15 + 0.15 * len(special), show=self.show)
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
        add_legend(figure, self.title, [*entries, Entry("the other pairs" if special else "each pair", GREY)])
        return figure
