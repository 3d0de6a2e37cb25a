"""The cosines between vectors, as a matrix of colours."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path

import click

from semeqv.grammar.component import component, positional
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.drawing import Drawing
from semeqv.results.figures.heatmap import CELL, add_bar, heatmap, label_cells, shades
from semeqv.results.figures.legend import add_legend
from semeqv.results.figures.style import COLUMN, finish, house_style, new_figure
from semeqv.runs.reading import Line, metrics_file, read_metrics

MEASURE, WHOLE = "cosine of vectors", "all"


@dataclass(frozen=True, kw_only=True)
class CosineMatrix:
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
        if not self.paths:
            raise click.UsageError(
                "cli vectors-view: give the folder of a run that cli crosslingual compare has measured"
            )
        panels = [[self.read(path, layer) for layer in self.layer or [WHOLE]] for path in self.paths]
        with house_style():
            finish(self.draw(panels), self.output, show=self.show, transparent=self.transparent)

    def read(self, path: Path, layer: str) -> CosineMatrix:
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
        return CosineMatrix(title="" if layer == WHOLE else layer, labels=labels, matrix=matrix)

    def draw(self, panels: list[list[CosineMatrix]]) -> matplotlib.figure.Figure:
        """Draw the matrices, a row of panels for each file, on one scale of colours."""
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
                matrix = numpy.array(panel.matrix, dtype=float)
                numpy.fill_diagonal(matrix, numpy.nan)  # a vector and itself are left blank
                drawn = heatmap(axes, matrix, scale, limits, "{:.2f}")
                label_cells(axes, panel.labels, panel.labels, turned=True)
                axes.set_title(panel.title, loc="left", fontweight="bold")
        add_bar(figure, drawn, figure.axes, "cosine")
        if self.title:
            add_legend(figure, self.title, [])
        return figure


def lines_of(path: Path) -> list[Line]:
    """Read the lines of a run's metrics, or the rows of a CSV file; `click.UsageError` when they cannot be read."""
    if path.suffix != ".csv":
        return read_metrics(metrics_file(path))

    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise click.UsageError(
            f"{path}: cannot be read as CSV; give what cli crosslingual compare --csv wrote"
        ) from None
    return [Line(path, number, {**row, "cosine": number_in(row.get("cosine"))}) for number, row in enumerate(rows, 2)]


def number_in(text: str | None) -> float | str | None:
    """Return the number of a cell, or what stands there instead."""
    try:
        return float(text or "nan")
    except ValueError:
        return text
