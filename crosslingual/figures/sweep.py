"""What vectors of languages do to a model of a task: curves, matrices, grids."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click

from semeqv.grammar.component import component, positional
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.curves import measured
from semeqv.results.figures.drawing import Drawing
from semeqv.results.figures.heatmap import CELL, add_bar, diverging, heatmap, label_cells
from semeqv.results.figures.legend import Entry, add_legend
from semeqv.results.figures.style import BAND, INK, MEAN_LINE, colors, finish, fitted, house_style, new_figure
from semeqv.results.statistics import mean_and_half
from semeqv.runs.reading import Line

KINDS = {
    "language": "vector of the language",
    "analogy": "the same less that of the source",
    "negation": "its opposite",
    "unrelated": "unrelated vector",
}
CONTROLS = ("negation", "unrelated")  # kinds of vectors that no one hopes to gain by
BEYOND = 2.0  # a control whose gains are so many times those of the others leaves the axes
PANEL, ROW = 1.25, 1.2  # inches
LINE = 0.13  # inches of a line of text


@component("sweep-view")
@dataclass(frozen=True, kw_only=True)
class SweepView(Drawing):
    """Draw what `cli crosslingual sweep` has measured, on average over runs.

    `curves`: what each kind of vector gains over no vector, against its strength, a panel for each language and a row
    for each model; bands are 95% intervals over runs (Student's), or, of one run, over sentences (paired). `matrix`:
    what each vector gains in each language at the strength that is fixed beforehand; what is bold has an interval
    without zero. `grid`: what two vectors gain together, a panel for each language.

    Args:
        paths: Folders of sweeps, or of folders of sweeps.
        draw: What to draw.
        task: Which task, where several were swept.
        model: A model to draw, as the sweep labels it; may be repeated. All if left out.
        part: The data sets whose gains curves and grids show.
    """

    paths: tuple[Path, ...] = positional()
    draw: Literal["curves", "matrix", "grid"] = "curves"
    task: str | None = None
    model: list[str] = field(default_factory=list)
    part: Literal["validation", "test"] = "test"
    output: Path = field(default=Path("figures/sweep.pdf"), metadata={"alias": "path"})

    def build(self) -> None:
        """Read the runs and write the figure.

        Raises:
            click.UsageError: There is no such sweep.
        """
        lines = read_sweeps(self.paths, self.task)
        there = list(dict.fromkeys(text_of(line, "model") for line in lines))
        models = self.model or there
        if missing := [name for name in models if name not in there]:
            raise click.UsageError(f"no sweep of a model {missing[0]!r}; there is {', '.join(there)}")
        with house_style():
            figure = {"curves": self.curves, "matrix": self.matrix, "grid": self.grid}[self.draw](lines, models)
            finish(figure, self.output, show=self.show, transparent=self.transparent)

    def curves(self, lines: Sequence[Line], models: Sequence[str]) -> matplotlib.figure.Figure:
        """Draw gains against strengths, a column for each language and a row for each model."""
        metric = metric_of(lines)
        points = [
            line for line in lines if line.record.get("measure") == "sweep" and text_of(line, "part") == self.part
        ]
        if not points:
            raise click.UsageError(f"no sweep measured --part {self.part}")
        at = means(
            points,
            lambda line: (*(text_of(line, key) for key in ("model", "language", "kind")), line.number_at("lambda")),
            f"{metric}_gain",
        )
        plain = [line for line in points if text_of(line, "kind") == "none"]
        scores = means(plain, lambda line: (text_of(line, "model"), text_of(line, "language")), metric)
        languages = list(dict.fromkeys(text_of(line, "language") for line in points))
        kinds = [kind for kind in KINDS if any(key[2] == kind for key in at)]
        shades = dict(zip(kinds, colors(len(kinds), self.palette, self.color)))
        names = {model: fitted(f"model from {model}", 0.7 * ROW) for model in models}
        aside = LINE * (max(name.count("\n") for name in names.values()))
        figure = new_figure(max(PANEL * len(languages), 3.5) + aside, 0.75 + ROW * len(models), show=self.show)
        panels = figure.subplots(len(models), len(languages), squeeze=False, sharex=True, sharey=True)
        gains = {kind: [100 * each.value for key, each in at.items() if key[2] == kind] for kind in kinds}
        outside = beyond(gains)
        inside = [0.0, *(gain for kind in kinds if kind not in outside for gain in gains[kind])]
        margin = max(max(inside) - min(inside), 0.1) / 2
        panels[0, 0].set_ylim(min(inside) - margin, max(inside) + margin)  # bands of two runs may go far beyond
        for row, model in zip(panels, models):
            for axes, language in zip(row, languages):
                for kind in kinds:
                    draw_curve(axes, at, (model, language), kind, shades[kind])
                axes.axhline(0, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
                if (none := scores.get((model, language))) is not None:
                    axes.set_title(f"{language}: {100 * none.value:.1f}", fontweight="bold", fontsize=7)
            row[0].set_ylabel(f"{names[model]}\ngain, points")
        figure.supxlabel("strength of the vector", fontsize=7)
        labels = {
            kind: KINDS[kind] + (f" (leaves the axes: {span(gains[kind])})" if kind in outside else "")
            for kind in kinds
        }
        entries = [Entry(labels[kind], shades[kind], "band") for kind in kinds]
        dashes = f"no vector; its {metric.replace('_', ' ')} stands above the panel"
        add_legend(figure, self.title, [*entries, Entry(dashes, INK, "dashes")])
        return figure

    def matrix(self, lines: Sequence[Line], models: Sequence[str]) -> matplotlib.figure.Figure:
        """Draw what each vector gains in each language, a panel for each model."""
        plain = ("language", "other", "unrelated")
        fixed = [line for line in lines if line.record.get("choice") == "fixed" and text_of(line, "kind") in plain]
        if not fixed:
            raise click.UsageError("no vector was measured at a fixed strength; run cli crosslingual sweep")
        keys = ("model", "vector", "language")
        at = means(fixed, lambda line: tuple(text_of(line, key) for key in keys), f"{metric_of(lines)}_gain")
        vectors, languages = (list(dict.fromkeys(text_of(line, key) for line in fixed)) for key in keys[1:])
        vectors.sort(key=lambda name: languages.index(name) if name in languages else len(languages))
        panels = [
            [[at.get((model, vector, language)) for language in languages] for vector in vectors] for model in models
        ]
        strength = fixed[0].number_at("lambda")
        label = f"gain in {metric_of(lines).replace('_', ' ')} at {strength:g}, points"
        titles = [fitted(f"model from {model}", CELL * len(languages) + 0.3, 7.5, bold=True) for model in models]
        figure, every = self.panels(panels, label, max(title.count("\n") for title in titles))
        for axes, title in zip(every, titles):
            label_cells(axes, vectors, languages)
            axes.set_title(title, loc="left", fontweight="bold")
            axes.set_xlabel("language of the test")
        every[0].set_ylabel("vector")
        return figure

    def grid(self, lines: Sequence[Line], models: Sequence[str]) -> matplotlib.figure.Figure:
        """Draw what two vectors gain together, a panel for each language; of several models, the first is drawn."""
        points = [
            line
            for line in lines
            if (text_of(line, "part"), text_of(line, "model")) == (self.part, models[0])
            and text_of(line, "kind") == "grid"
            and line.record.get("measure") == "sweep"
        ]
        if not points:
            raise click.UsageError("no two vectors were measured together; run cli crosslingual sweep --second --mus")
        at = means(
            points,
            lambda line: (text_of(line, "vector"), line.number_at("lambda"), line.number_at("mu")),
            f"{metric_of(lines)}_gain",
        )
        vectors = list(dict.fromkeys(key[0] for key in at))
        across = sorted({0.0, *(line.number_at("lambda") for line in points)})
        up = sorted({0.0, *(line.number_at("mu") for line in points)}, reverse=True)
        at |= {(vector, 0.0, 0.0): Mean(0.0, math.nan, math.nan) for vector in vectors}
        panels = [[[at.get((vector, one, other)) for one in across] for other in up] for vector in vectors]
        figure, every = self.panels(panels, f"gain in {metric_of(lines).replace('_', ' ')}, points")
        for axes, vector in zip(every, vectors):
            first, _, second = str(vector).partition(", ")
            label_cells(axes, [f"{each:g}" for each in up], [f"{each:g}" for each in across])
            axes.set_title(first, loc="left", fontweight="bold")
            axes.set_xlabel(f"strength of {first}")
            axes.set_ylabel(f"strength of {second}")
        return figure

    def panels(
        self, panels: Sequence[Sequence[Sequence[Mean | None]]], label: str, lines: int = 0
    ) -> tuple[matplotlib.figure.Figure, list[matplotlib.axes.Axes]]:
        """Draw matrices of gains side by side, on one scale of colours around zero.

        Args:
            panels: The cells of each, row by row.
            label: What the colours say.
            lines: Lines of the titles of panels, beyond one.

        Returns:
            The figure, and the axes of the panels.
        """
        columns = min(len(panels), 4)
        rows = -(-len(panels) // columns)
        wide, high = (0.75 + CELL * count for count in (len(panels[0][0]), len(panels[0])))
        figure = new_figure(wide * columns + 0.7, (high + LINE * lines) * rows + 0.3, show=self.show)
        every = list(figure.subplots(rows, columns, squeeze=False).flat)
        values = [
            numpy.array([[numpy.nan if cell is None else 100 * cell.value for cell in row] for row in panel])
            for panel in panels
        ]
        most = max(0.1, *(float(numpy.nanmax(numpy.abs(each), initial=0)) for each in values))
        scale = diverging(self.palette, self.color)
        for axes, panel, matrix in zip(every, panels, values):
            certain = [[cell is not None and cell.certain for cell in row] for row in panel]
            drawn = heatmap(axes, numpy.round(matrix, 1) + 0.0, scale, (-most, most), "{:+.1f}", bold=certain)
        for axes in every[len(panels) :]:
            axes.remove()
        add_bar(figure, drawn, every[: len(panels)], label)
        if self.title:
            add_legend(figure, self.title, [])
        return figure, every[: len(panels)]


def beyond(gains: Mapping[str, Sequence[float]]) -> list[str]:
    """Name the controls whose gains would leave the other curves no room.

    Args:
        gains: By kind of vector, its gains.

    Returns:
        Those kinds, the furthest first; not all of them.
    """
    reach = {kind: max(map(abs, values)) for kind, values in gains.items()}
    outside: list[str] = []
    while len(reach) > 1:
        furthest, next_one = sorted(reach, key=reach.__getitem__, reverse=True)[:2]
        if furthest not in CONTROLS or reach[furthest] <= BEYOND * max(reach[next_one], 0.1):
            break
        outside.append(furthest)
        del reach[furthest]
    return outside


def span(gains: Sequence[float]) -> str:
    """Write the least and the greatest of some gains."""
    return f"{min(gains):+.1f} to {max(gains):+.1f}"


def draw_curve(axes: matplotlib.axes.Axes, at: dict[Any, Mean], place: tuple[str, str], kind: str, color: str) -> None:
    """Draw one curve and its band; it begins without a vector."""
    means = {key[3]: mean for key, mean in at.items() if key[:3] == (*place, kind)}
    if not means:
        return
    if (none := at.get((*place, "none", 0.0))) is not None:
        means[0.0] = none  # a gain of zero
    strengths = sorted(means)
    averages = [means[strength] for strength in strengths]
    value, low, high = (
        [100 * number for number in each] for each in zip(*((m.value, m.low, m.high) for m in averages))
    )
    axes.fill_between(strengths, low, high, color=color, **BAND)
    axes.plot(strengths, value, color=color, **MEAN_LINE | {"linewidth": 1.2})


POINT, CHOICE = "sweep", "sweep choice"


@dataclass(frozen=True)
class Mean:
    """The mean of a number over runs, and its 95% interval; that over sentences where there is one run.

    Args:
        value: The mean.
        low: Lower end of the interval; NaN where there is none.
        high: Upper end of it.
    """

    value: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Return whether the interval is there and leaves out zero."""
        return self.low > 0 or self.high < 0


def read_sweeps(paths: Sequence[Path], task: str | None) -> list[Line]:
    """Read the lines of sweeps of one task.

    Args:
        paths: Folders of runs, or of folders of runs.
        task: Which; the one that there is if None.

    Returns:
        Points and choices; of what a run has measured several times, the last.

    Raises:
        click.UsageError: There is no sweep, or of several tasks none was named.
    """
    by_place = {
        (str(line.path), *identity(line)): line
        for _, _, line in measured(tuple(paths), "cli sweep-view")
        if line.record.get("measure") in (POINT, CHOICE)
    }
    tasks = list(dict.fromkeys(text_of(line, "task") for line in by_place.values()))
    wanted = task if task is not None else tasks[0] if len(tasks) == 1 else None
    lines = [line for line in by_place.values() if text_of(line, "task") == wanted]
    if not lines:
        known = f"there is {', '.join(tasks)}; choose one by --task" if tasks else "run cli crosslingual sweep"
        raise click.UsageError(
            f"{', '.join(map(str, paths))}: no sweep of {'one task' if task is None else task}; {known}"
        )
    return lines


def identity(line: Line) -> tuple[str, ...]:
    """Return what tells a line of a run from the others."""
    keys = ("measure", "choice", "task", "model", "seed", "part", "language", "kind", "vector")
    strengths = [str(line.record.get(name)) for name in ("lambda", "mu")]
    return (*(text_of(line, key) for key in keys), *([] if line.record.get("measure") == CHOICE else strengths))


def text_of(line: Line, key: str) -> str:
    """Return what a line says under a key; empty when it says nothing."""
    value = line.record.get(key)
    return "" if value is None else str(value)


def metric_of(lines: Sequence[Line]) -> str:
    """Return the score by which the strengths were chosen."""
    return text_of(lines[0], "metric") or "accuracy"


def means(
    lines: Iterable[Line], place: Callable[[Line], tuple[object, ...]], name: str
) -> dict[tuple[object, ...], Mean]:
    """Average a number of some lines over runs.

    Args:
        lines: The lines; each run has one at most in each place.
        place: Where a line belongs.
        name: The number.

    Returns:
        By place, in the order in which they are met.
    """
    grouped: dict[tuple[object, ...], list[Line]] = {}
    for line in lines:
        grouped.setdefault(place(line), []).append(line)
    return {key: mean(each, name) for key, each in grouped.items()}


def mean(lines: Sequence[Line], name: str) -> Mean:
    """Average a number over runs."""
    values = [line.number_at(name) for line in lines]
    value, half = mean_and_half(values)
    if math.isnan(half) and f"{name}_low" in lines[0].record:
        return Mean(value, lines[0].number_at(f"{name}_low"), lines[0].number_at(f"{name}_high"))
    return Mean(value, value - half, value + half)
