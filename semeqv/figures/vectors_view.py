"""The cosines between vectors, as a matrix of colours."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semeqv.engine.component import component, positional
from semeqv.figures.drawing import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from semeqv.engine.artefacts import Line

MEASURE, WHOLE = "cosine of vectors", "all"
CELL = 0.36  # inches


@dataclass(frozen=True, kw_only=True)
class Cosines:
    """The cosines of one layer.

    Args:
        title: What to call it.
        labels: The vectors.
        matrix: Their cosines, (vectors, vectors); NaN where one is zero.
    """

    title: str
    labels: list[str]
    matrix: list[list[float]]


@component("vectors-view")
@dataclass(frozen=True, kw_only=True)
class VectorsView(Drawing):
    """Draw the cosines between vectors as a heatmap, as `cli crosslingual compare` has measured them.

    Of what was measured several times, the last counts.

    Args:
        paths: Folders of runs, their metrics.jsonl, or the files of --csv; a row of panels each.
        layer: A layer to draw, such as `layer 3`, or `all` for the whole vector; may be repeated, a panel each. The
            whole if left out.
    """

    paths: tuple[Path, ...] = positional()
    layer: list[str] = field(default_factory=list)
    output: Path = field(default=Path("figures/vectors.pdf"), metadata={"alias": "path"})

    def build(self) -> None:
        """Read the files and write the figure."""
        from semeqv.figures.style import finish, house_style

        if not self.paths:
            raise click.UsageError(
                "cli vectors-view: give the folder of a run that cli crosslingual compare has measured"
            )
        panels = [[self.read(path, layer) for layer in self.layer or [WHOLE]] for path in self.paths]
        with house_style():
            finish(self.draw(panels), self.output, show=self.show, transparent=self.transparent)

    def read(self, path: Path, layer: str) -> Cosines:
        """Read the cosines of one layer.

        Args:
            path: A folder of a run, or its metrics.jsonl, or a CSV file.
            layer: Which.

        Returns:
            The matrix.

        Raises:
            click.UsageError: There is no such measurement, a pair is missing, or a number is none.
        """
        lines = [line for line in lines_of(path) if line.record.get("measure") == MEASURE]
        there = list(dict.fromkeys(str(line.record.get("layer")) for line in lines))
        pairs: dict[tuple[str, str], float] = {}
        for line in lines:
            if line.record.get("layer") == layer:
                first, second = str(line.record.get("first")), str(line.record.get("second"))
                pairs[first, second] = pairs[second, first] = line.number_at("cosine")
        if not pairs:
            known = f"there is {', '.join(there[:8])}" if there else "run cli crosslingual compare"
            raise click.UsageError(f"{path}: no line has cosines of {layer!r}; {known}")
        labels = list(dict.fromkeys(first for first, _ in pairs))
        missing = next(((one, other) for one in labels for other in labels if (one, other) not in pairs), None)
        if missing:
            raise click.UsageError(f"{path}: no line has the cosine of {missing[0]} and {missing[1]}")
        matrix = [[pairs[one, other] for other in labels] for one in labels]
        return Cosines(title="" if layer == WHOLE else layer, labels=labels, matrix=matrix)

    def draw(self, panels: list[list[Cosines]]) -> Figure:
        """Draw the matrices, a row of panels for each file, on one scale of colours."""
        from semeqv.figures.legend import add_legend
        from semeqv.figures.style import COLUMN, new_figure

        scale = shades(self.palette, self.color)
        apart = [
            value
            for row in panels
            for panel in row
            for i, cells in enumerate(panel.matrix)
            for j, value in enumerate(cells)
            if i != j and math.isfinite(value)
        ]
        most = max(len(panel.labels) for row in panels for panel in row)
        side = 1.0 + CELL * most
        width = max(COLUMN * 0.75, side * len(panels[0]) + 0.6)
        figure = new_figure(width, side * len(panels) + 0.25, show=self.show)
        limits = (min([0.0, *apart]), max([*apart, 0.01]))
        for axes_of_row, row in zip(figure.subplots(len(panels), len(panels[0]), squeeze=False), panels):
            for axes, panel in zip(axes_of_row, row):
                drawn = draw_panel(axes, panel, scale, limits)
        bar = figure.colorbar(drawn, ax=figure.axes, shrink=0.8, aspect=25, label="cosine")
        bar.outline.set_visible(False)
        if self.title:
            add_legend(figure, self.title, [])
        return figure


def draw_panel(axes: Axes, panel: Cosines, scale: Colormap, limits: tuple[float, float]) -> Any:
    """Draw one matrix, numbers in its cells; a vector and itself are left blank.

    Args:
        axes: Where.
        panel: What.
        scale: From cosines to colours.
        limits: The cosines that have the first and the last colour.

    Returns:
        The image.
    """
    import numpy

    from semeqv.figures.style import INK

    matrix = numpy.array(panel.matrix, dtype=float)
    numpy.fill_diagonal(matrix, numpy.nan)
    drawn = axes.imshow(matrix, cmap=scale, vmin=limits[0], vmax=limits[1])
    places = range(len(panel.labels))
    axes.set_xticks(places, panel.labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, panel.labels)
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(panel.title, loc="left", fontweight="bold")
    for i in places:
        for j in places:
            if numpy.isfinite(matrix[i, j]):
                red, green, blue, _ = drawn.cmap(drawn.norm(matrix[i, j]))
                dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
                axes.text(
                    j, i, f"{matrix[i, j]:.2f}", ha="center", va="center", fontsize=6, color="white" if dark else INK
                )
    return drawn


def shades(palette: str, color: list[str]) -> Colormap:
    """The colours of a heatmap.

    Args:
        palette: `semeqv` for shades of one colour, or a palette of seaborn without steps, such as viridis.
        color: The first of them is shaded instead.

    Returns:
        A scale from the least to the greatest.

    Raises:
        click.UsageError: There is no such colour or palette, or it has steps.
    """
    from matplotlib.colors import Colormap, LinearSegmentedColormap

    from semeqv.figures.style import HOUSE, colors

    if palette == HOUSE or color:
        (full,) = colors(1, HOUSE, color[:1], first=1)
        return LinearSegmentedColormap.from_list("shades", ["white", full])
    import seaborn

    try:
        scale = seaborn.color_palette(palette, as_cmap=True)
    except ValueError:
        scale = None
    if not isinstance(scale, Colormap):
        raise click.UsageError(
            f"--palette {palette}: no palette for a heatmap; write '{HOUSE}', 'viridis', 'rocket', ..."
        )
    return scale


def lines_of(path: Path) -> list[Line]:
    """Read the lines of a run's metrics, or the rows of a CSV file; `click.UsageError` when they cannot be read."""
    from semeqv.engine.artefacts import Line, metrics_file, read_metrics

    if path.suffix != ".csv":
        return read_metrics(metrics_file(path))
    import csv

    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise click.UsageError(
            f"{path}: cannot be read as CSV; give what cli crosslingual compare --csv wrote"
        ) from None
    return [Line(path, number, {**row, "cosine": number_in(row.get("cosine"))}) for number, row in enumerate(rows, 2)]


def number_in(text: str | None) -> float | str | None:
    """The number of a cell, or what stands there instead."""
    try:
        return float(text or "nan")
    except ValueError:
        return text
