"""Accuracy over training, run by run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import click

from semeqv.grammar.action import Positional
from semeqv.grammar.component import check_bounds
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.curves import (
    Curve,
    Ends,
    bayes_accuracy,
    folder_name,
    mean_and_halfwidth,
    read_curve,
    running_mean,
    span,
)
from semeqv.results.figures.drawing import DrawnWithTable, Look, check_limits, figure_action
from semeqv.results.figures.legend import Entry, add_legend
from semeqv.results.figures.style import (
    BAND,
    COLUMN,
    INK,
    MEAN_LINE,
    RUN_LINE,
    count_epochs,
    new_figure,
)


@dataclass(frozen=True)
class Window:
    """Which records of a run are drawn.

    Args:
        window: Draw the running mean of so many records.
        cutoff: Leave out so many of the last records of each run.
        etc: Draw every so many records.
        xlim: First and last epoch to draw.
    """

    window: int = 1
    cutoff: int = 0
    etc: int = 1
    xlim: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_bounds(self, window=1, cutoff=0, etc=1)
        check_limits("xlim", self.xlim)

    def of(self, path: Path, curve: Curve) -> Curve:
        """Return a curve smoothed, cut off and thinned.

        Args:
            path: Where it is from, for messages.
            curve: The curve.

        Returns:
            Of the records left every `etc`-th, counted back from the last.

        Raises:
            click.UsageError: No record is left.
        """
        values = running_mean(curve.values, self.window)
        count = len(values) - self.cutoff
        if count < 1:
            raise click.UsageError(f"{path}: --cutoff {self.cutoff} leaves none of its {len(values)} records")
        first, last = self.xlim or (-math.inf, math.inf)
        kept = (curve.epochs[:count] >= first) & (curve.epochs[:count] <= last)
        if not kept.any():
            raise click.UsageError(
                f"{path}: goes from epoch {curve.epochs[0]:g} to {curve.epochs[count - 1]:g}; "
                f"--xlim {first:g} {last:g} leaves nothing of it"
            )
        epochs, values = curve.epochs[:count][kept], values[:count][kept]
        # Counted from the end, so that the last record is drawn.
        return Curve(curve.label, epochs[:: -self.etc][::-1], values[:: -self.etc][::-1])


def check_accplot(options: Any) -> None:
    """Refuse limits that leave nothing between them: `ValueError`."""
    check_limits("ylim", options.ylim)


@figure_action("accplot", output="figures/accuracies.pdf", check=check_accplot)
def accplot(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    inputs: Sequence[tuple[Path, str]] = (),
    split: str = "validation",
    name: str | None = None,
    metric: str = "accuracy",
    records: Window = Window(),
    hline: Sequence[tuple[float, str, str]] = (),
    bayes: bool = True,
    ylim: tuple[float, float] | None = None,
    showconf: bool = False,
    look: Look = Look(),
) -> DrawnWithTable:
    """Draw accuracy over training: each run, the mean of each group, and where the runs ended.

    Args:
        paths: Metrics files or folders of runs; each is called by its folder's name.
        inputs: A metrics file or the folder of a run, and its label; may be repeated. Equal labels make a group.
        split: Which split to draw. Lines that name no split always count.
        name: Which data set of that split, where there are several.
        metric: Which number to draw.
        records: Which records to draw.
        hline: Height, colour and style (solid, dashed, dotted) of a horizontal line; may be repeated.
        bayes: Draw the best accuracy possible, when the runs state it (run.json) and accuracy is drawn.
        ylim: Lower and upper limit of the metric.
        showconf: Draw the 95% confidence of the mean of each group (Student's t) as a band.
        look: How it looks.

    Returns:
        The figure, and the last values of all runs.

    Raises:
        click.UsageError: There is no run, or (from `read_curve` and `Window.of`) a file is wrong or has no record left.
    """
    sources = [*inputs, *((path, folder_name(path)) for path in paths)]
    if not sources:
        raise click.UsageError("cli accplot: give files, or --inputs runs/a/metrics.jsonl tied, once per run")
    groups: dict[str, list[Curve]] = {}
    for path, label in sources:
        curve = records.of(path, read_curve(path, label, metric=metric, split=split, name=name))
        groups.setdefault(label, []).append(curve)
    best = bayes_accuracy(path for path, _ in sources) if bayes and metric == "accuracy" else None
    over = f", mean of the last {records.window} records" if records.window > 1 else ""
    known = f" (Bayes: {best:.3f})" if best is not None else ""
    rows = [
        (label, span(curve.epochs[-1] for curve in group), [curve.values[-1] for curve in group])
        for label, group in groups.items()
    ]
    smoothed = f"\n(running mean of {records.window} records)" if records.window > 1 else ""
    drawing = draw_accuracies(
        groups, best, quantity=f"{split} {metric}{smoothed}", hline=hline, ylim=ylim, showconf=showconf, look=look
    )
    return DrawnWithTable(drawing, Ends(f"Final {split} {metric}{over}{known}", "group", rows))


def draw_accuracies(
    groups: dict[str, list[Curve]],
    bayes: float | None = None,
    *,
    quantity: str = "validation accuracy",
    hline: Sequence[tuple[float, str, str]] = (),
    ylim: tuple[float, float] | None = None,
    showconf: bool = False,
    look: Look = Look(),
) -> matplotlib.figure.Figure:
    """Draw groups of curves, and beside them where each run ended.

    Args:
        groups: Label to the curves of its runs.
        bayes: Height of the line of the best accuracy possible; None for no line.
        quantity: What the vertical axis is.
        hline: As of `accplot`.
        ylim: Limits of the vertical axis.
        showconf: Whether to draw the confidence of means.
        look: How it looks.

    Returns:
        The figure.
    """
    figure = new_figure(COLUMN, 2.3 + 0.15 * len(groups), show=look.show)
    axes, margin = figure.subplots(1, 2, sharey=True, width_ratios=[6, min(max(1.2, 0.8 * len(groups)), 2.4)])
    entries = []
    single = max(map(len, groups.values())) == 1
    palette = dict(zip(groups, look.colors(len(groups), first=2)))
    for label, curves in groups.items():
        draw_group(axes, curves, palette[label], band=showconf)
        runs = "" if single else " (1 run)" if len(curves) == 1 else f" ({len(curves)} runs)"
        entries.append(Entry(f"{label}{runs}", palette[label]))
    axes.margins(x=0)
    left, right = axes.get_xlim()
    axes.set_xlim(0 if 0 < left < right / 20 else left, right)
    axes.set_ylabel(quantity)
    if ylim is not None:
        axes.set_ylim(*ylim)
    count_epochs(axes.xaxis)
    draw_ends(margin, groups, palette)
    draw_lines((axes, margin), hline, bayes)
    if bayes is not None:
        entries.append(Entry(f"best possible (Bayes) accuracy: {bayes:.2f}", INK, "dashes"))
    if not single:
        band = " and its 95% confidence" if showconf else ""
        kind: Literal["band", "mean"] = "band" if showconf else "mean"
        entries.append(Entry(f"mean of the runs{band}; thin lines and dots: each run", kind=kind))
    add_legend(figure, look.title, entries)
    return figure


def draw_lines(
    panels: Sequence[matplotlib.axes.Axes], hline: Sequence[tuple[float, str, str]], bayes: float | None
) -> None:
    """Draw horizontal lines across the panels.

    Args:
        panels: The axes of the curves and of their ends.
        hline: Height, colour and style of each.
        bayes: Height of the dashed line of the best accuracy possible; None for no line.

    Raises:
        click.UsageError: A colour or a style does not exist.
    """
    for axes in panels:
        if bayes is not None:
            axes.axhline(bayes, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1.5)
        for height, color, style in hline:
            try:
                axes.axhline(height, color=color, linestyle=style, linewidth=0.9, zorder=1.5)
            except ValueError:
                raise click.UsageError(
                    f"--hline {height:g} {color} {style}: no such colour or style; write such as 0.7 black dashed"
                ) from None


def draw_group(axes: matplotlib.axes.Axes, curves: list[Curve], color: str, band: bool = False) -> None:
    """Draw the runs of a group thin, their mean thick and its confidence as a band; a single run is drawn as a mean."""
    if len(curves) > 1:
        for curve in curves:
            axes.plot(curve.epochs, curve.values, color=color, zorder=2, **RUN_LINE)
    # At each epoch that any run has, the mean of the runs that have got so far.
    epochs = numpy.unique(numpy.concatenate([curve.epochs for curve in curves]))
    heights = numpy.array([numpy.interp(epochs, curve.epochs, curve.values, numpy.nan, numpy.nan) for curve in curves])
    mean, half = mean_and_halfwidth(heights)
    known = numpy.isfinite(mean)
    width = MEAN_LINE if len(curves) > 1 else MEAN_LINE | {"linewidth": 1.0}
    axes.plot(epochs[known], mean[known], color=color, zorder=3, **width)
    if band:
        axes.fill_between(epochs, mean - half, mean + half, color=color, zorder=1, **BAND)


def draw_ends(axes: matplotlib.axes.Axes, groups: dict[str, list[Curve]], palette: dict[str, str]) -> None:
    """Draw the last value of every run as a dot, a column for each group; its mean as a bar."""
    for place, (label, curves) in enumerate(groups.items()):
        ends = numpy.sort([curve.values[-1] for curve in curves])
        aside = 0.16 * numpy.resize([0, 1, -1], len(ends)) if len(ends) > 1 else numpy.zeros(1)
        axes.scatter(place + aside, ends, s=11, color=palette[label], alpha=0.75, linewidth=0, zorder=3, clip_on=False)
        known = ends[numpy.isfinite(ends)]
        if len(known) > 1:
            axes.hlines(known.mean(), place - 0.36, place + 0.36, color=palette[label], linewidth=1.7, zorder=2)
    axes.set_xlim(-0.6, len(groups) - 0.4)
    short = max(map(len, groups)) <= 7
    axes.set_xticks(range(len(groups)) if short else [], groups if short else [], color=INK)
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("at the end")
    axes.tick_params(labelleft=False)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
