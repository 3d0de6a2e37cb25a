"""How well each layer of a model finds translations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import click

from semeqv.grammar.action import Positional
from semeqv.lazy import matplotlib
from semeqv.results.figures.curves import folder_name
from semeqv.results.figures.drawing import Drawn, Look, check_labels, check_positive, figure_action, labelled
from semeqv.results.figures.legend import Entry, add_legend
from semeqv.results.figures.style import BAND, COLUMN, INK, MEAN_LINE, new_figure, whole_numbers
from semeqv.runs.reading import metrics_file, read_metrics

DIRECTIONS = {"both": "both directions", "to": "to the pivot", "from": "from the pivot"}


@dataclass(frozen=True, kw_only=True)
class LayerCurve:
    """The accuracy of one model, layer by layer.

    Args:
        label: What to call it.
        points: By layer: accuracy, the ends of its 95% interval, and what chance would reach.
    """

    label: str
    points: dict[int, tuple[float, float, float, float]]


def check_retrieval_view(options: Any) -> None:
    """Refuse labels without folders, and a list without a sentence: `ValueError`."""
    check_labels(options)
    check_positive("k", options.k)


@figure_action("retrieval-view", output="figures/retrieval.pdf", check=check_retrieval_view)
def retrieval_view(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    label: Sequence[str] = (),
    of: str | None = None,
    k: int = 10,
    direction: Literal["both", "to", "from"] = "both",
    look: Look = Look(),
) -> Drawn:
    """Draw the accuracy of retrieval by layer, with its 95% interval, as `cli retrieval --layer all` has measured it.

    Of what was measured several times for one layer, the last counts.

    Args:
        paths: Folders of runs, or their metrics.jsonl; a curve each.
        label: What to call them, in their order; may be repeated. Their own names if left out.
        of: A language, or a subset of languages; all if left out, or the one that there is.
        k: The size of the list of nearest sentences.
        direction: To the pivot, from it, or the mean of both.
        look: How it looks.

    Returns:
        The figure. `labelled` and `read_layer_curve` raise `click.UsageError` when there is no folder, or one has no
        such accuracies.
    """
    folders = labelled(paths, label, "retrieval-view", "the folder of a run that cli retrieval has measured")
    curves = [read_layer_curve(path, name, of=of, k=k, direction=direction) for path, name in folders]
    return Drawn(draw_layer_curves(curves, k=k, direction=direction, look=look))


def read_layer_curve(
    path: Path, label: str | None = None, *, of: str | None = None, k: int = 10, direction: str = "both"
) -> LayerCurve:
    """Read the accuracies of one run.

    Args:
        path: The folder of the run, or its metrics.jsonl.
        label: What to call it; the folder's name if None.
        of: A language, or a subset of languages; all if None, or the one that there is.
        k: The size of the list of nearest sentences.
        direction: Which, as it was measured.

    Returns:
        The curve.

    Raises:
        click.UsageError: There is no such measurement, or a number is none.
    """
    lines = [line for line in read_metrics(metrics_file(path)) if line.record.get("measure") == "retrieval"]
    there = list(dict.fromkeys(str(line.record.get("of")) for line in lines))
    wanted = of if of is not None else there[0] if len(there) == 1 else "all"
    key = f"accuracy@{k}"
    points = {
        int(line.number_at("layer")): (
            line.number_at(key),
            line.number_at(f"{key}_low"),
            line.number_at(f"{key}_high"),
            line.number_at(f"random@{k}"),
        )
        for line in lines
        if line.record.get("of") == wanted and line.record.get("direction") == direction and key in line.record
    }
    if not points:
        known = f"there is {', '.join(there[:8])}" if there else "run cli retrieval --layer all"
        raise click.UsageError(f"{path}: no line has the retrieval of {wanted!r} with {key!r}; {known}")
    return LayerCurve(label=label or folder_name(path), points=dict(sorted(points.items())))


def draw_layer_curves(
    curves: Sequence[LayerCurve], *, k: int = 10, direction: str = "both", look: Look = Look()
) -> matplotlib.figure.Figure:
    """Draw the curves, and what chance would reach.

    Args:
        curves: One for each model.
        k: The size of the list of nearest sentences.
        direction: Which was read.
        look: How it looks.

    Returns:
        The figure.
    """
    figure = new_figure(COLUMN, 2.2 + 0.15 * len(curves), show=look.show)
    axes, entries = figure.subplots(), []
    for curve, color in zip(curves, look.colors(len(curves), first=1)):
        layers: list[float] = list(curve.points)
        mean, low, high, chance = zip(*curve.points.values())
        axes.fill_between(layers, low, high, color=color, **BAND)
        axes.plot(layers, mean, color=color, marker="o", markersize=2.5, **MEAN_LINE)
        if len(layers) == 1:  # what has no width is not seen
            axes.vlines(layers, low, high, color=color, linewidth=3, alpha=0.3)
            layers, chance = [layers[0] - 0.4, layers[0] + 0.4], 2 * chance
        axes.plot(layers, chance, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        entries.append(Entry(curve.label, color, "band"))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("layer (0: input embedding)")
    axes.set_ylabel(f"accuracy at {k}, {DIRECTIONS[direction]}")
    whole_numbers(axes)
    add_legend(figure, look.title, [*entries, Entry("chance", INK, "dashes")])
    return figure
