"""How well each layer of a model finds translations."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import click

from semeqv.grammar.component import component
from semeqv.lazy import matplotlib
from semeqv.results.figures.curves import folder_name
from semeqv.results.figures.drawing import DrawingOfFolders, check_positive
from semeqv.results.figures.legend import Entry, add_legend
from semeqv.results.figures.style import BAND, COLUMN, INK, MEAN_LINE, colors, new_figure, whole_numbers
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


@component("retrieval-view")
@dataclass(frozen=True, kw_only=True)
class RetrievalView(DrawingOfFolders):
    """Draw the accuracy of retrieval by layer, with its 95% interval, as `cli retrieval --layer all` has measured it.

    Of what was measured several times for one layer, the last counts.

    Args:
        paths: Folders of runs, or their metrics.jsonl; a curve each.
        of: A language, or a subset of languages; all if left out, or the one that there is.
        k: The size of the list of nearest sentences.
        direction: To the pivot, from it, or the mean of both.
    """

    wanted: ClassVar = "the folder of a run that cli retrieval has measured"
    of: str | None = None
    k: int = 10
    direction: Literal["both", "to", "from"] = "both"
    output: Path = field(default=Path("figures/retrieval.pdf"), metadata={"alias": "path"})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("k", self.k)

    def read(self, path: Path, label: str | None) -> LayerCurve:
        """Read the accuracies of one run.

        Args:
            path: The folder of the run, or its metrics.jsonl.
            label: What to call it; the folder's name if None.

        Returns:
            The curve.

        Raises:
            click.UsageError: There is no such measurement, or a number is none.
        """

        lines = [line for line in read_metrics(metrics_file(path)) if line.record.get("measure") == "retrieval"]
        there = list(dict.fromkeys(str(line.record.get("of")) for line in lines))
        wanted = self.of if self.of is not None else there[0] if len(there) == 1 else "all"
        key = f"accuracy@{self.k}"
        points = {
            int(line.number_at("layer")): tuple(
                line.number_at(each) for each in (key, f"{key}_low", f"{key}_high", f"random@{self.k}")
            )
            for line in lines
            if line.record.get("of") == wanted and line.record.get("direction") == self.direction and key in line.record
        }
        if not points:
            known = f"there is {', '.join(there[:8])}" if there else "run cli retrieval --layer all"
            raise click.UsageError(f"{path}: no line has the retrieval of {wanted!r} with {key!r}; {known}")
        return LayerCurve(label=label or folder_name(path), points=dict(sorted(points.items())))  # type: ignore[arg-type]

    def draw(self, curves: list[LayerCurve]) -> matplotlib.figure.Figure:
        """Draw the curves, and what chance would reach."""

        figure = new_figure(COLUMN, 2.2 + 0.15 * len(curves), show=self.show)
        axes, entries = figure.subplots(), []
        for curve, color in zip(curves, colors(len(curves), self.palette, self.color, first=1)):
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
        axes.set_ylabel(f"accuracy at {self.k}, {DIRECTIONS[self.direction]}")
        whole_numbers(axes)
        add_legend(figure, self.title, [*entries, Entry("chance", INK, "dashes")])
        return figure
