"""Where the embeddings of the symbols go, over training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Annotated

import click

from semeqv.grammar.action import Positional
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.drawing import Drawn, Look, figure_action
from semeqv.results.figures.legend import GREY
from semeqv.results.figures.placement import place_labels, together
from semeqv.results.figures.style import COLUMN, INK, columns_of, figure_size, new_figure
from semeqv.runs.reading import read_array

SHAPE = "(records, symbols, dimensions)"
COLUMNS = 3  # panels beside each other
TOUCHING = 0.05  # ends nearer than this part of a panel's width, in all dimensions, share one label


@figure_action("view-embeddings", output="figures/embeddings.pdf")
def view_embeddings(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    label: Sequence[tuple[int, str]] = (),
    look: Look = Look(),
) -> Drawn:
    """Draw the path of each symbol's embedding over training, a panel per run.

    Embeddings of more than two dimensions are drawn on the two principal components (PC) of all records of their run
    together; each panel states what part of the variance they keep. All panels have the same scale.

    Args:
        paths: Files of snapshots (.npy), one per run: (records, symbols, dimensions).
        label: A symbol and its name; may be repeated. Once any is named, only the named ones are drawn.
        look: How it looks.

    Returns:
        The figure.

    Raises:
        click.UsageError: There is no file, or (from `read_snapshots`) one is wrong.
    """
    if not paths:
        raise click.UsageError("cli view-embeddings: give one file of snapshots per run (.npy)")
    runs = [read_snapshots(path, label) for path in paths]
    return Drawn(draw_embeddings(runs, [folder_and_file(path, paths) for path in paths], label, look))


def read_snapshots(path: Path, label: Sequence[tuple[int, str]] = ()) -> numpy.ndarray:
    """Read the snapshots of one run.

    Args:
        path: The .npy file.
        label: Symbols that it must have, and their names.

    Returns:
        Embeddings, (records, symbols, dimensions), all finite.

    Raises:
        click.UsageError: The file is no such array, lacks a named symbol, or holds what is no number.
    """
    snapshots = read_array(path, SHAPE)
    for symbol, name in label:
        if not 0 <= symbol < snapshots.shape[1]:
            last = snapshots.shape[1] - 1
            raise click.UsageError(f"{path}: has symbols 0 to {last}; --label {symbol} {name} names another")
    finite = numpy.isfinite(snapshots).all(axis=(1, 2))
    if not finite.all():
        raise click.UsageError(f"{path}: record {int(finite.argmin())} holds what is no number; the run diverged")
    return snapshots


def draw_embeddings(
    runs: Sequence[numpy.ndarray],
    titles: Sequence[str],
    label: Sequence[tuple[int, str]] = (),
    look: Look = Look(),
) -> matplotlib.figure.Figure:
    """Draw the paths of embeddings.

    Args:
        runs: Snapshots of each run, (records, symbols, dimensions).
        titles: What to call each run.
        label: Symbols and their names; all symbols by their numbers if left out.
        look: How it looks.

    Returns:
        The figure.
    """
    names = dict(label) or {symbol: str(symbol) for symbol in range(min(run.shape[1] for run in runs))}
    palette = dict(zip(names, look.colors(len(names))))
    planes = [in_plane(run) for run in runs]
    drawn = [plane[:, list(names)] for plane, _ in planes]
    reach = 0.58 * max(float(numpy.ptp(plane.reshape(-1, 2), axis=0).max()) for plane in drawn) or 1.0
    columns = 2 if len(runs) == 4 else min(COLUMNS, len(runs))
    rows = -(-len(runs) // columns)
    width = COLUMN if columns == 1 else 2 * COLUMN
    figure = new_figure(width, rows * width / columns + 0.5, show=look.show)
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, plane, (_, kept), title, run in zip(panels, drawn, planes, titles, runs):
        draw_paths(axes, plane, list(palette.values()), reach)
        # Near in all dimensions: what is near in the plane alone may be far apart.
        groups = together(run[-1, list(names)].tolist(), 2 * TOUCHING * reach)
        name_ends(axes, plane, groups, list(names.values()), list(palette.values()))
        axes.set_title(title, loc="left", fontweight="bold")
        if run.shape[2] > 2:
            axes.set_xlabel(f"PC 1 ({kept[0]:.0%} of variance)")
            axes.set_ylabel(f"PC 2 ({kept[1]:.0%} of variance)")
        else:
            axes.set_xlabel("dimension 1")
            axes.set_ylabel("dimension 2")
    for axes in panels[len(runs) :]:
        axes.set_visible(False)
    add_key(figure, look.title, columns)
    return figure


def folder_and_file(path: Path, paths: Sequence[Path]) -> str:
    """Return what tells a run from the others: its folder's name, and the file's where one folder has several."""
    folder = path.resolve().parent
    alone = [other.resolve().parent for other in paths].count(folder) == 1
    return folder.name if alone else f"{folder.name}\n{path.stem}"


def in_plane(snapshots: numpy.ndarray) -> tuple[numpy.ndarray, tuple[float, float]]:
    """Project the snapshots of one run on the plane of their two principal components.

    Args:
        snapshots: (records, symbols, dimensions). Two dimensions or one are kept as they are.

    Returns:
        Points, (records, symbols, 2), and the part of the variance that each axis keeps.
    """
    records, symbols, dimensions = snapshots.shape
    if dimensions <= 2:
        return numpy.pad(snapshots, ((0, 0), (0, 0), (0, 2 - dimensions))), (1.0, 1.0)
    points = snapshots.reshape(-1, dimensions)
    points = points - points.mean(axis=0)
    # Eigenvectors of (dimensions, dimensions), small however many records there are; the greatest come last.
    variances, directions = numpy.linalg.eigh(points.T @ points)
    directions = directions[:, :-3:-1]
    # A direction and its opposite are equally right: let the greatest entry be positive, on every machine.
    directions = directions * numpy.sign(directions[numpy.abs(directions).argmax(axis=0), [0, 1]])
    total = variances.sum() or 1.0
    plane = (points @ directions).reshape(records, symbols, 2)
    return plane, (float(variances[-1] / total), float(variances[-2] / total))


def draw_paths(axes: matplotlib.axes.Axes, plane: numpy.ndarray, palette: Sequence[str], reach: float) -> None:
    """Draw the path of every symbol of one run, from pale to full colour, its start hollow and its end full.

    Args:
        axes: Where.
        plane: Points, (records, symbols, 2).
        palette: One colour per symbol.
        reach: Half the width and height of the panel, in units of the embedding.
    """
    for symbol, color in enumerate(palette):
        path = plane[:, symbol]
        pieces = numpy.stack([path[:-1], path[1:]], axis=1)
        # Mixed with white, not transparent: where pieces join, transparent ones make beads.
        strength = numpy.linspace(0.35, 1.0, len(pieces))[:, None]
        axes.add_collection(
            matplotlib.collections.LineCollection(
                list(pieces), colors=1 - strength * (1 - numpy.array(matplotlib.colors.to_rgb(color))), linewidths=0.9
            )
        )
        axes.plot(*path[0], "o", markersize=3.2, markerfacecolor="white", markeredgecolor=color, markeredgewidth=0.8)
        axes.plot(*path[-1], "o", markersize=4.6, color=color, markeredgecolor="white", markeredgewidth=0.5, zorder=4)
    middle = (plane.max(axis=(0, 1)) + plane.min(axis=(0, 1))) / 2
    axes.set_xlim(middle[0] - reach, middle[0] + reach)
    axes.set_ylim(middle[1] - reach, middle[1] + reach)
    axes.set_aspect("equal")
    axes.grid(True, axis="both")


def name_ends(
    axes: matplotlib.axes.Axes,
    plane: numpy.ndarray,
    groups: Sequence[Sequence[int]],
    names: Sequence[str],
    palette: Sequence[str],
) -> None:
    """Write the names of the symbols beside their ends, a label for each group.

    Args:
        axes: Where; its limits must be final.
        plane: Points, (records, symbols, 2).
        groups: Symbols that end together.
        names: One per symbol.
        palette: One colour per symbol.
    """
    (left, right), (bottom, _) = axes.get_xlim(), axes.get_ylim()
    side = figure_size(axes)[0] * 72 * 0.72 / columns_of(axes)  # points, about what a panel takes
    scale = (right - left) / side
    ends, starts = (plane[-1] - (left, bottom)) / scale, (plane[0] - (left, bottom)) / scale
    texts = [", ".join(names[symbol] for symbol in group) for group in groups]
    anchors = [tuple(ends[list(group)].mean(axis=0)) for group in groups]
    points = [tuple(point) for point in (*ends, *starts)]
    for text, group, centre in zip(texts, groups, place_labels(texts, anchors, points, (side, side), size=7)):
        axes.text(
            left + centre[0] * scale,
            bottom + centre[1] * scale,
            text,
            ha="center",
            va="center",
            color=palette[group[0]] if len(group) == 1 else INK,
            fontweight="bold",
            path_effects=[matplotlib.patheffects.withStroke(linewidth=1.5, foreground="white")],
            zorder=5,
        )


def add_key(figure: matplotlib.figure.Figure, title: str, columns: int) -> None:
    """Put the title above the figure, and what the two kinds of dot mean."""
    hollow = matplotlib.lines.Line2D([], [], color=GREY, alpha=0.5, marker="o", markersize=3.2, markerfacecolor="white")
    full = matplotlib.lines.Line2D([], [], color=GREY, marker="o", markersize=4.6)
    figure.legend(
        [hollow, full],
        ["start of training", "end; symbols that end together share a label"],
        loc="outside upper left",
        title=fill(title, 45 * min(columns, 2)) or None,
        alignment="left",
        title_fontproperties={"size": 8.5, "weight": "bold"},
        ncols=min(columns, 2),
        labelcolor="#555555",
    )
