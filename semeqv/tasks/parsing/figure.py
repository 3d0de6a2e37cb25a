"""How fast parsers learn: attachment scores over the time that training takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import click

from semeqv.grammar.action import Positional
from semeqv.lazy import matplotlib
from semeqv.results.figures.curves import folder_name
from semeqv.results.figures.drawing import Drawn, Look, check_labels, check_limits, figure_action, labelled
from semeqv.results.figures.legend import Entry, add_legend
from semeqv.results.figures.style import COLUMN, INK, MEAN_LINE, label_ends, new_figure
from semeqv.runs.reading import metrics_file, read_metrics

SCORES = {"las": "LAS", "uas": "UAS", "upos": "UPOS"}


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """How well a parser attached words while it was trained.

    Args:
        label: What to call it.
        minutes: CPU minutes of training, (points,).
        scores: In percent, (points,).
    """

    label: str
    minutes: tuple[float, ...]
    scores: tuple[float, ...]


def check_attachment_view(options: Any) -> None:
    """Refuse labels without folders, and limits that leave nothing between them: `ValueError`."""
    check_labels(options)
    check_limits("ylim", options.ylim)


@figure_action("attachment-view", output="figures/attachment.pdf", check=check_attachment_view)
def attachment_view(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    label: Sequence[str] = (),
    name: str | None = None,
    metric: Literal["las", "uas", "upos"] = "las",
    goal: float | None = None,
    ylim: tuple[float, float] | None = None,
    look: Look = Look(),
) -> Drawn:
    """Draw attachment scores over CPU minutes of training, as `cli callbacks attachment` has measured them.

    Args:
        paths: Folders of runs, or their metrics.jsonl; a curve each.
        label: What to call them, in their order; may be repeated. Their own names if left out.
        name: Which validation treebank, where there are several.
        metric: Words with the right head and relation (las), with the right head (uas), or with the right tag (upos).
        goal: Draw a dashed line at this score, in percent.
        ylim: Lower and upper limit of the scores, in percent.
        look: How it looks.

    Returns:
        The figure. `labelled` and `read_learning_curve` raise `click.UsageError` when there is no folder, or one has no
        such scores.
    """
    folders = labelled(paths, label, "attachment-view", "the folder of a run with cli callbacks attachment")
    curves = [read_learning_curve(path, called, name=name, metric=metric) for path, called in folders]
    return Drawn(draw_learning_curves(curves, metric=metric, goal=goal, ylim=ylim, look=look))


def read_learning_curve(
    path: Path, label: str | None = None, *, name: str | None = None, metric: str = "las"
) -> LearningCurve:
    """Read the scores of one run.

    Args:
        path: The folder of the run, or its metrics.jsonl.
        label: What to call it; the folder's name if None.
        name: Which validation treebank.
        metric: Which score.

    Returns:
        The curve.

    Raises:
        click.UsageError: There is no such measurement, or a number is none.
    """
    lines = [line for line in read_metrics(metrics_file(path)) if "cpu_seconds" in line.record]
    chosen = [line for line in lines if line.record.get("name") == name and metric in line.record]
    if not chosen:
        names = ", ".join(sorted({str(line.record.get("name")) for line in lines})) or "none"
        raise click.UsageError(
            f"{path}: no line has {metric!r} and CPU seconds of the treebank {name}; treebanks: {names}"
        )
    return LearningCurve(
        label=label or folder_name(path),
        minutes=tuple(line.number_at("cpu_seconds") / 60 for line in chosen),
        scores=tuple(100 * line.number_at(metric) for line in chosen),
    )


def draw_learning_curves(
    curves: Sequence[LearningCurve],
    *,
    metric: str = "las",
    goal: float | None = None,
    ylim: tuple[float, float] | None = None,
    look: Look = Look(),
) -> matplotlib.figure.Figure:
    """Draw the curves, and write where each ends.

    Args:
        curves: One for each run.
        metric: Which score they are of.
        goal: As of `attachment_view`.
        ylim: Lower and upper limit of the scores, in percent.
        look: How it looks.

    Returns:
        The figure.
    """
    figure = new_figure(COLUMN, 2.2 + 0.15 * len(curves), show=look.show)
    axes, entries, ends = figure.subplots(), [], []
    for curve, color in zip(curves, look.colors(len(curves), first=1)):
        axes.plot(curve.minutes, curve.scores, color=color, marker="o", markersize=2, **MEAN_LINE)
        entries.append(Entry(curve.label, color))
        ends.append((curve.scores[-1], f"{curve.scores[-1]:.1f}", color))
    if goal is not None:
        axes.axhline(goal, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1.5)
        entries.append(Entry(f"goal: {goal:g}", INK, "dashes"))
    axes.set_xlim(left=0)
    if ylim is not None:
        axes.set_ylim(*ylim)
    axes.set_xlabel("CPU minutes of training")
    axes.set_ylabel(f"{SCORES[metric]}, %")
    label_ends(axes, ends)
    add_legend(figure, look.title, entries)
    return figure
