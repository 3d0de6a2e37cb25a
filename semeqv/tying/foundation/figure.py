"""How far apart equivalent tokens of a model are, beside random ones."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

import click

from semeqv.grammar.action import Positional
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.drawing import Drawn, Look, check_labels, figure_action, labelled
from semeqv.results.figures.legend import GREY, Entry, add_legend
from semeqv.results.figures.style import COLUMN, INK, new_figure

DISTANCES = {
    "euclidean": "Euclidean distance",
    "cosine": "cosine distance",
    "centred-cosine": "cosine distance after the mean embedding is taken off",
}
HALF = 0.42  # height of a density, in rows


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One matrix of one model, and its comparisons, one for each kind of equivalence."""

    title: str
    comparisons: list[Comparison]


@figure_action("foundation-view", output="figures/foundation.pdf", check=check_labels)
def foundation_view(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    label: Sequence[str] = (),
    measure: Literal["euclidean", "cosine", "centred-cosine"] = "centred-cosine",
    look: Look = Look(),
) -> Drawn:
    """Draw how far apart equivalent tokens are in each embedding of a model, beside random pairs.

    Each kind of equivalence is a row: above its line the density of the distances of equivalent pairs, below it that of
    random pairs, a tick at each median. A row of panels is a model, a panel one of its embeddings.

    Args:
        paths: Folders that `cli foundation-embeddings` wrote, one per model.
        label: What to call them, in their order; may be repeated. The names of their models if left out.
        measure: The distance to draw.
        look: How it looks.

    Returns:
        The figure. `read_foundation` raises `click.UsageError` when a folder is wrong.
    """
    models = []
    for path, name in labelled(paths, label, "foundation-view", "the folder that cli foundation-embeddings wrote"):
        model = read_foundation(path, measure)
        models.append(model if name is None else replace(model, name=name))
    return Drawn(draw_foundation(models, measure, look))


def draw_foundation(
    models: Sequence[Measured],
    measure: str = "centred-cosine",
    look: Look = Look(),
) -> matplotlib.figure.Figure:
    """Draw models, a row of panels for each.

    Args:
        models: What was measured of each.
        measure: By which distance.
        look: How it looks.

    Returns:
        The figure.
    """
    (color,) = look.colors(1, first=1)
    rows = [panels(model) for model in models]
    kinds = max(len(panel.comparisons) for row in rows for panel in row)
    columns = max(map(len, rows))
    figure = new_figure(COLUMN * max(columns, 1.25), 0.75 + len(rows) * (0.55 + 0.33 * kinds), show=look.show)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes_of_row, row in zip(grid, rows):
        for axes in axes_of_row[len(row) :]:
            axes.set_visible(False)
        for axes, panel in zip(axes_of_row, row):
            draw_panel(axes, panel, color, GREY)
        for axes in axes_of_row[: len(row)]:
            axes.set_xlabel(DISTANCES[measure])
    entries = [
        Entry("equivalent pairs", color),
        Entry("random pairs of like frequency"),
        Entry("right: probability that an equivalent pair is the closer one [95% interval]", "none"),
    ]
    add_legend(figure, look.title, entries)
    return figure


def panels(model: Measured) -> list[Panel]:
    """The panels of one model."""
    return [
        Panel(title=f"{model.name}: {embedding} embedding", comparisons=comparisons)
        for embedding, comparisons in model.embeddings.items()
    ]


def draw_panel(axes: matplotlib.axes.Axes, panel: Panel, color: str, other: str) -> None:
    """Draw the densities of one embedding.

    Args:
        axes: Where.
        panel: What.
        color: Of equivalent pairs.
        other: Of random pairs.
    """
    every = numpy.concatenate([each for row in panel.comparisons for each in (row.equivalent, row.random)])
    low, high = numpy.quantile(every, [0.001, 0.999])
    grid = numpy.linspace(low - 0.04 * (high - low), high + 0.04 * (high - low), 300)
    for place, row in enumerate(panel.comparisons):
        for values, sign, shade in ((row.equivalent, 1, color), (row.random, -1, other)):
            height = density(values, grid)
            height = sign * HALF * height / (height.max() or 1.0)
            axes.fill_between(grid, -place, -place + height, color=shade, alpha=0.55, linewidth=0)
            middle = numpy.median(values)
            axes.plot([middle, middle], [-place, -place + sign * HALF], color=shade, linewidth=1.2)
        axes.axhline(-place, color=INK, linewidth=0.4)
        said = f"{row.closer:.3f} [{row.low:.3f}-{row.high:.3f}]"
        axes.annotate(
            said,
            xy=(1, -place),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
            annotation_clip=False,
        )
    axes.set_yticks(
        [-place for place in range(len(panel.comparisons))],
        [f"{row.kind}\n{len(row.equivalent):,} pairs" for row in panel.comparisons],
    )
    axes.set_ylim(0.5 - len(panel.comparisons), 0.5)
    axes.set_xlim(grid[0], grid[-1])
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.set_title(panel.title, loc="left", fontweight="bold")


def density(values: numpy.ndarray, grid: numpy.ndarray) -> numpy.ndarray:
    """Estimate the density of values by a Gaussian kernel of Silverman's (1986) width.

    Args:
        values: Distances, (n,).
        grid: Where to tell it, (points,), evenly spaced.

    Returns:
        The density, (points,), not normalised.
    """
    step = grid[1] - grid[0]
    spread = min(values.std(), float(numpy.subtract(*numpy.quantile(values, [0.75, 0.25]))) / 1.34)
    width = max(0.9 * (spread or values.std()) * len(values) ** -0.2, step)
    edges = numpy.append(grid - step / 2, grid[-1] + step / 2)
    counts, _ = numpy.histogram(values, edges)
    reach = numpy.arange(1 - len(grid), len(grid)) * step  # (2 * points - 1,)
    kernel = numpy.exp(-0.5 * (reach / width) ** 2)
    return numpy.convolve(counts, kernel)[len(grid) - 1 : 2 * len(grid) - 1]


TABLE, PAIRS = "foundation.json", "foundation_pairs.csv"


@dataclass(frozen=True)
class Comparison:
    """One kind of equivalence in one embedding.

    Args:
        kind: What the kind is called.
        equivalent: Distances of equivalent pairs, (pairs,).
        random: Distances of random pairs, (pairs,).
        closer: Probability that an equivalent pair is the closer one.
        low: Lower end of its 95% interval.
        high: Upper end of it.
    """

    kind: str
    equivalent: numpy.ndarray
    random: numpy.ndarray
    closer: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """What was measured of one model: its name, and by embedding the comparisons."""

    name: str
    embeddings: dict[str, list[Comparison]]


def read_foundation(folder: Path, measure: str) -> Measured:
    """Read a folder of the study.

    Args:
        folder: The folder, or its foundation.json.
        measure: The distance to read.

    Returns:
        The comparisons by that distance.

    Raises:
        click.UsageError: A file is missing, or is not what the study writes.
    """
    folder = folder.parent if folder.name == TABLE else folder
    try:
        said = json.loads((folder / TABLE).read_bytes())
        embeddings = comparisons([row for row in said["rows"] if row["measure"] == measure], folder / PAIRS, measure)
        return Measured("/".join(PurePath(str(said["model"])).parts[-2:]), embeddings)
    except FileNotFoundError as error:
        raise click.UsageError(
            f"{error.filename}: no such file; give a folder that cli foundation-embeddings wrote"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        raise click.UsageError(f"{folder}: not what cli foundation-embeddings writes ({error}); run it again") from None


def comparisons(rows: list[dict[str, Any]], pairs: Path, measure: str) -> dict[str, list[Comparison]]:
    """Put the rows of the table together with the distances of their pairs.

    Args:
        rows: Of one distance.
        pairs: The file of pairs.
        measure: The distance.

    Returns:
        Embedding to comparisons.

    Raises:
        ValueError: There is no row, or something is no number.
    """
    if not rows:
        raise ValueError(f"there is no {measure}")
    distances = read_pairs(pairs, {row["embedding"] for row in rows}, measure)
    embeddings: dict[str, list[Comparison]] = {}
    for row in rows:
        near, far = (numpy.array(distances[row["embedding"], row["kind"], which]) for which in ("equivalent", "random"))
        numbers = [float(row[name]) for name in ("closer", "low", "high")]
        if not all(map(math.isfinite, (*near, *far, *numbers))):
            raise ValueError("a distance is no number")
        embeddings.setdefault(str(row["embedding"]), []).append(Comparison(str(row["kind"]), near, far, *numbers))
    return embeddings


def read_pairs(path: Path, embeddings: set[str], measure: str) -> dict[Any, list[float]]:
    """Read the distances of pairs: by embedding, kind, and `equivalent` or `random`."""
    found: dict[Any, list[float]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for embedding in embeddings:
                for which in ("equivalent", "random"):
                    value = float(row[f"{embedding} {measure} {which}"])
                    found.setdefault((embedding, row["kind"], which), []).append(value)
    return found
