"""Matrices of colours with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.style import HOUSE, INK, colors

CELL = 0.36  # inches


def heatmap(
    axes: matplotlib.axes.Axes,
    matrix: numpy.ndarray,
    scale: matplotlib.colors.Colormap,
    limits: tuple[float, float],
    digits: str,
    *,
    bold: Sequence[Sequence[bool]] | None = None,
) -> Any:
    """Draw a matrix, a number in each cell, in white where its colour is dark.

    Args:
        axes: Where.
        matrix: (rows, columns); cells that are not finite are left blank.
        scale: From numbers to colours.
        limits: The numbers that have the first and the last colour.
        digits: How a number is written, such as `{:.2f}`.
        bold: Which numbers are in bold print.

    Returns:
        The image.
    """
    drawn = axes.imshow(matrix, cmap=scale, vmin=limits[0], vmax=limits[1])
    for i, j in numpy.argwhere(numpy.isfinite(matrix)).tolist():
        red, green, blue, _ = drawn.cmap(drawn.norm(matrix[i, j]))
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        weight = "bold" if bold and bold[i][j] else "normal"
        color = "white" if dark else INK
        text = digits.format(matrix[i, j])
        axes.text(j, i, text, ha="center", va="center", fontsize=5.5, fontweight=weight, color=color)
    return drawn


def label_cells(axes: matplotlib.axes.Axes, rows: Sequence[str], columns: Sequence[str], turned: bool = False) -> None:
    """Name the rows and columns of a matrix; the names of columns may be turned, where they are long."""
    angle: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if turned else {}
    axes.set_xticks(range(len(columns)), columns, **angle)
    axes.set_yticks(range(len(rows)), rows)
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def add_bar(figure: matplotlib.figure.Figure, drawn: Any, axes: Sequence[matplotlib.axes.Axes], label: str) -> None:
    """Say beside some axes what their colours mean."""
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8, aspect=25, label=label)
    bar.outline.set_visible(False)


def shades(palette: str, color: Sequence[str]) -> matplotlib.colors.Colormap:
    """Return the colours of a heatmap.

    Args:
        palette: `semeqv` for shades of one colour, or a palette of seaborn without steps, such as viridis.
        color: The first of them is shaded instead.

    Returns:
        A scale from the least to the greatest.

    Raises:
        click.UsageError: There is no such colour or palette, or it has steps.
    """
    if palette == HOUSE or color:
        (full,) = colors(1, HOUSE, color[:1], first=1)
        return matplotlib.colors.LinearSegmentedColormap.from_list("shades", ["white", full])
    import seaborn

    try:
        scale = seaborn.color_palette(palette, as_cmap=True)
    except ValueError:
        scale = None
    if not isinstance(scale, matplotlib.colors.Colormap):
        raise click.UsageError(
            f"--palette {palette}: no palette for a heatmap; write '{HOUSE}', 'viridis', 'rocket', ..."
        )
    return scale


def diverging(palette: str, color: Sequence[str]) -> matplotlib.colors.Colormap:
    """Return colours around zero: of losses, white, of gains.

    Args:
        palette: `semeqv`, or a palette of seaborn without steps, such as vlag.
        color: The colour of gains, and that of losses, instead.

    Returns:
        The scale.
    """
    if palette != HOUSE and not color:
        return shades(palette, [])
    loss, gain = colors(2, HOUSE, [*color[1:2], *color[:1]] if len(color) > 1 else [])
    return matplotlib.colors.LinearSegmentedColormap.from_list("gains", [loss, "white", gain])
