"""How fast parsers learn: attachment scores over the time that training takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import click

from semeqv.grammar.component import component
from semeqv.lazy import matplotlib
from semeqv.results.figures.curves import folder_name
from semeqv.results.figures.drawing import DrawingOfFolders, check_limits
from semeqv.results.figures.legend import Entry, add_legend
from semeqv.results.figures.style import COLUMN, INK, MEAN_LINE, colors, label_ends, new_figure
from semeqv.runs.reading import metrics_file, read_metrics

SCORES = {"las": "LAS", "uas": "UAS", "upos": "UPOS"}


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """How well a parser attached words while it was trained.

    Args:
        label: What to call it.
        minutes: CPU minutes of training, `(points,)`.
        scores: In percent, `(points,)`.
    """

    label: str
    minutes: tuple[float, ...]
    scores: tuple[float, ...]


@component("attachment-view")
@dataclass(frozen=True, kw_only=True)
class AttachmentView(DrawingOfFolders):
    """Draw attachment scores over CPU minutes of training, as `cli callbacks attachment` has measured them.

    Args:
        paths: Folders of runs, or their metrics.jsonl; a curve each.
        name: Which validation treebank, where there are several.
        metric: Words with the right head and relation (las), with the right head (uas), or with the right tag (upos).
        goal: Draw a dashed line at this score, in percent.
        ylim: Lower and upper limit of the scores, in percent.
    """

    wanted: ClassVar = "the folder of a run with cli callbacks attachment"
    name: str | None = None
    metric: Literal["las", "uas", "upos"] = "las"
    goal: float | None = None
    ylim: tuple[float, float] | None = None
    output: Path = field(default=Path("figures/attachment.pdf"), metadata={"alias": "path"})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits("ylim", self.ylim)

    def read(self, path: Path, label: str | None) -> LearningCurve:
        """Read the scores of one run.

        Args:
            path: The folder of the run, or its metrics.jsonl.
            label: What to call it; the folder's name if None.

        Returns:
            The curve.

        Raises:
            click.UsageError: There is no such measurement, or a number is none.
        """

        lines = [line for line in read_metrics(metrics_file(path)) if "cpu_seconds" in line.record]
        chosen = [line for line in lines if line.record.get("name") == self.name and self.metric in line.record]
        if not chosen:
            names = ", ".join(sorted({str(line.record.get("name")) for line in lines})) or "none"
            raise click.UsageError(
                f"{path}: no line has {self.metric!r} and CPU seconds of the treebank {self.name}; treebanks: {names}"
            )
        return LearningCurve(
            label=label or folder_name(path),
            minutes=tuple(line.number_at("cpu_seconds") / 60 for line in chosen),
            scores=tuple(100 * line.number_at(self.metric) for line in chosen),
        )

    def draw(self, curves: list[LearningCurve]) -> matplotlib.figure.Figure:
        """Draw the curves, and write where each ends."""

        figure = new_figure(COLUMN, 2.2 + 0.15 * len(curves), show=self.show)
        axes, entries, ends = figure.subplots(), [], []
        for curve, color in zip(curves, colors(len(curves), self.palette, self.color, first=1)):
            axes.plot(curve.minutes, curve.scores, color=color, marker="o", markersize=2, **MEAN_LINE)
            entries.append(Entry(curve.label, color))
            ends.append((curve.scores[-1], f"{curve.scores[-1]:.1f}", color))
        if self.goal is not None:
            axes.axhline(self.goal, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1.5)
            entries.append(Entry(f"goal: {self.goal:g}", INK, "dashes"))
        axes.set_xlim(left=0)
        if self.ylim is not None:
            axes.set_ylim(*self.ylim)
        axes.set_xlabel("CPU minutes of training")
        axes.set_ylabel(f"{SCORES[self.metric]}, %")
        label_ends(axes, ends)
        add_legend(figure, self.title, entries)
        return figure
