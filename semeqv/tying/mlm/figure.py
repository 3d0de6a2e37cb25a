"""How far apart words and their doubles are, over training and word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import click

from semeqv.grammar.action import AtLeast, Positional
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.curves import Ends, pad, span
from semeqv.results.figures.drawing import DrawnWithTable, Look, check_limits, figure_action
from semeqv.results.figures.legend import Entry, add_legend
from semeqv.results.figures.placement import place_labels
from semeqv.results.figures.style import (
    BAND,
    COLUMN,
    MEAN_LINE,
    RUN_LINE,
    columns_of,
    count_epochs,
    figure_size,
    label_ends,
    new_figure,
)
from semeqv.tying.followed import Followed, read_doubles, read_followed

KINDS = ("random", "doubles")
DOUBLES = "a word and its double: same meaning, same contexts (DH holds)"
PANELS = {
    "input": "Untied: input embeddings",
    "output": "Untied: output embeddings",
    "tied": "Tied: one embedding",
}
NAMED = 4  # words named in a panel, at most
ROOM = 36  # points of 1/72 inch from one to the next
MIDDLE = (10, 90)  # percentiles between which the band lies


def check_mlm_view(options: Any) -> None:
    """Refuse limits that leave nothing between them: `ValueError`."""
    check_limits("ylim", options.ylim)


@figure_action("mlm view", output="figures/doubles.pdf", check=check_mlm_view)
def mlm_view(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    etc: Annotated[int, AtLeast(1)] = 1,
    ylim: tuple[float, float] | None = None,
    doubles: str = DOUBLES,
    look: Look = Look(),
) -> DrawnWithTable:
    """Draw how far apart words and their doubles are beside random pairs of words, tied and untied.

    The upper panels are over training: the mean of the runs, each run, and the middle 80% of all pairs as a band. The
    lower ones are the end: each word by its frequency, the means over runs. A table says the means at the end.

    Args:
        paths: Folders of runs; or files of distances of the study's original code (.npy), words first, then doubles.
        etc: Draw every so many records.
        ylim: Lower and upper limit of the distance.
        doubles: What the legend calls words and their doubles.
        look: How it looks.

    Returns:
        The figure, and the mean distances at the end of each run.

    Raises:
        click.UsageError: There is no run, or the runs do not follow the same words.
    """
    if not paths:
        raise click.UsageError("cli mlm view: give the folders of runs, such as runs/mlm-babel/*-encoder*")
    runs = [read_doubles(path) if path.suffix == ".npy" else read_followed(path) for path in paths]
    runs = [thinned(run, etc) for run in runs]
    if len({(run.unit, run.every, *run.names, str(run.pairs)) for run in runs}) > 1:
        raise click.UsageError("cli mlm view: the runs follow other words, or at other steps; draw them apart")
    if lacking := [kind for kind in KINDS if kind not in runs[0].pairs]:
        raise click.UsageError(f"cli mlm view: the runs follow no pairs of the kind {lacking[0]!r}")
    return DrawnWithTable(draw_doubles(runs, ylim=ylim, doubles=doubles, look=look), ends_of(runs))


def draw_doubles(
    runs: Sequence[Followed],
    *,
    ylim: tuple[float, float] | None = None,
    doubles: str = DOUBLES,
    look: Look = Look(),
) -> matplotlib.figure.Figure:
    """Draw runs that follow the same words; other arguments are those of `mlm_view`."""
    shown = {side: having for side in PANELS if (having := [run for run in runs if side in run.distances])}
    palette = dict(zip(("doubles", "random"), look.colors(2, default=("#0072B2", "#D55E00"))))
    figure = new_figure(COLUMN * (0.25 + 0.62 * len(shown)), 4.6, show=look.show)
    grid = figure.subplots(2, len(shown), squeeze=False, sharey="row", height_ratios=[1, 1.15])
    for (side, having), over_training, at_end in zip(shown.items(), grid[0], grid[1]):
        over_training.set_title(PANELS[side], loc="left", fontweight="bold")
        for kind in KINDS:
            draw_training(over_training, having, side, kind, palette[kind])
        draw_end(at_end, having, side, palette)
    for axes in grid.flat:
        axes.set_ylim(*ylim or (0, None))
    for (side, having), over_training, at_end in zip(shown.items(), grid[0], grid[1]):
        label_means(over_training, having, side, palette)
        if having[0].names:
            name_closest(at_end, having, side, palette["doubles"])
    grid[0][0].set_ylabel("Euclidean distance")
    grid[1][0].set_ylabel("Euclidean distance at the end")
    most = max(map(len, shown.values()))
    entries = [
        Entry(doubles, palette["doubles"]),
        Entry("random pairs of words (DH fails)", palette["random"]),
    ]
    thin = f"mean of {most} runs; thin: each run; band: the middle 80% of all pairs" if most > 1 else ""
    entries.append(Entry(thin or "mean of all pairs; band: their middle 80%", kind="band"))
    add_legend(figure, look.title, entries)
    return figure


def thinned(run: Followed, every: int) -> Followed:
    """Keep every so many of the records of a run, from the first."""
    distances = {
        side: {kind: records[::every] for kind, records in each.items()} for side, each in run.distances.items()
    }
    return replace(run, every=run.every * every, distances=distances)


def ends_of(runs: Sequence[Followed]) -> Ends:
    """Return where the mean distances of the runs ended."""
    rows = []
    for side, title in PANELS.items():
        having = [run for run in runs if side in run.distances]
        for kind in runs[0].pairs if having else ():
            ends = [float(run.distances[side][kind][-1].mean()) for run in having]
            steps = span((len(run.distances[side][kind]) - 1) * run.every for run in having)
            rows.append((f"{title}, {kind}", steps, ends))
    return Ends("Mean distance at the last record of each run", "pairs", rows, unit=runs[0].unit)


def draw_training(axes: matplotlib.axes.Axes, runs: Sequence[Followed], side: str, kind: str, color: str) -> None:
    """Draw one kind of pairs over training.

    Args:
        axes: Where.
        runs: The runs.
        side: The embedding.
        kind: The kind of pairs.
        color: Its colour.
    """
    means = pad([run.distances[side][kind].mean(axis=1) for run in runs])  # (runs, records)
    steps = numpy.arange(means.shape[1]) * runs[0].every
    shortest = min(len(run.distances[side][kind]) for run in runs)
    every = numpy.concatenate([run.distances[side][kind][:shortest] for run in runs], axis=1)  # (records, pairs)
    low, high = numpy.percentile(every, MIDDLE, axis=1)
    axes.fill_between(steps[:shortest], low, high, color=color, zorder=1, **BAND)
    if len(runs) > 1:
        axes.plot(steps, means.T, color=color, zorder=2, **RUN_LINE)
    axes.plot(steps, numpy.nanmean(means, axis=0), color=color, zorder=3, **MEAN_LINE)
    axes.margins(x=0)
    count_epochs(axes.xaxis, runs[0].unit)


def label_means(axes: matplotlib.axes.Axes, runs: Sequence[Followed], side: str, palette: dict[str, str]) -> None:
    """Write the means at the end beside the curves."""
    ends = []
    for kind in KINDS:
        mean = sum(float(run.distances[side][kind][-1].mean()) for run in runs) / len(runs)
        ends.append((mean, f"{mean:.2f}", palette[kind]))
    label_ends(axes, ends)


def draw_end(axes: matplotlib.axes.Axes, runs: Sequence[Followed], side: str, palette: dict[str, str]) -> None:
    """Draw each word at the end: its distance to its double, and to a random word, means over runs.

    Args:
        axes: Where.
        runs: The runs.
        side: The embedding.
        palette: A colour for each kind.
    """
    for kind in KINDS:
        places, ends = at_end(runs, side, kind)
        axes.scatter(places, ends, s=7, color=palette[kind], alpha=0.8, linewidth=0, zorder=3)
    axes.set_xscale("log")
    axes.set_xlim(0.85, places.max() * 1.18)
    axes.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.set_xlabel("word, by its place in frequency")


def at_end(runs: Sequence[Followed], side: str, kind: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Return the place in frequency of each pair's first word, from 1, and the mean distance at the end over runs."""
    places = numpy.array([first for first, _ in runs[0].pairs[kind]]) + 1
    return places, numpy.mean([run.distances[side][kind][-1] for run in runs], axis=0)


def name_closest(axes: matplotlib.axes.Axes, runs: Sequence[Followed], side: str, color: str) -> None:
    """Name words that are close to their doubles, the closest first, where there is room.

    Args:
        axes: Where; its limits must be final.
        runs: The runs.
        side: The embedding.
        color: That of the names.
    """
    places, ends = at_end(runs, side, "doubles")
    (width, tall), height = figure_size(axes), axes.get_ylim()[1]
    panel = (width * 72 * 0.8 / columns_of(axes), tall * 72 * 0.33)
    left, right = numpy.log(axes.get_xlim())
    across = (numpy.log(places) - left) / (right - left) * panel[0]
    points = [(float(x), float(y)) for x, y in zip(across, ends / height * panel[1])]
    near: list[int] = []
    for place in numpy.argsort(ends, kind="stable")[: -(-len(ends) // 2)].tolist():
        if len(near) < NAMED and all(abs(across[place] - across[other]) > ROOM for other in near):
            near.append(place)
    names = [runs[0].names[runs[0].pairs["doubles"][place][0]] for place in near]
    for place, name, (x, y) in zip(near, names, place_labels(names, [points[i] for i in near], points, panel, size=6)):
        axes.annotate(
            name,
            xy=(places[place], ends[place]),
            xytext=(x - points[place][0], y - points[place][1]),
            textcoords="offset points",
            ha="center",
            va="center",
            color=color,
            fontsize=6,
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": color, "shrinkA": 0, "shrinkB": 1},
            path_effects=[matplotlib.patheffects.withStroke(linewidth=1.5, foreground="white")],
            zorder=5,
        )
