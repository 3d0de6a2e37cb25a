"""What topic control reaches, and what it costs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import click

from semeqv.engine.component import component, positional
from semeqv.figures.drawing import Drawing
from semeqv.figures.measured import measured

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WAYS = {"senses": "weights of senses", "logits": "control: bias on logits"}
Points = dict[str, dict[float, list[tuple[float, float, float]]]]


@component("backpack topics-view")
@dataclass(frozen=True, kw_only=True)
class TopicsView(Drawing):
    """Draw how many texts are on topic, and how many words of it they have, against their perplexity.

    Each point is the mean of the runs at one strength, which is written beside it; the first one is no control at all.
    Runs have been measured by `cli backpack topics`.

    Args:
        paths: Folders of runs, or of folders of runs.
    """

    paths: tuple[Path, ...] = positional()
    output: Path = field(default=Path("figures/topics.pdf"), metadata={"alias": "path"})

    def build(self) -> None:
        """Read the runs and write the figure."""
        from semeqv.figures.style import finish, house_style

        points = read_points(self.paths)
        with house_style():
            finish(self.draw(points), self.output, show=self.show, transparent=self.transparent)

    def draw(self, points: Points) -> Figure:
        """Draw two panels.

        Args:
            points: What `read_points` gives.

        Returns:
            The figure, not yet written.
        """
        from semeqv.figures.legend import Entry, add_legend
        from semeqv.figures.style import COLUMN, INK, MEAN_LINE, colors, new_figure

        figure = new_figure(COLUMN * 1.7, 2.5, show=self.show)
        panels = figure.subplots(1, 2)
        shades = dict(zip(WAYS, colors(2, self.palette, self.color, first=1)))
        start = points.get("senses", {}).get(0.0, [])
        for way, color in shades.items():
            runs = ({0.0: start} if start else {}) | points.get(way, {})
            for axes, column in zip(panels, (0, 1)):
                means = {
                    strength: (fmean(each[2] for each in values), fmean(each[column] for each in values))
                    for strength, values in sorted(runs.items())
                }
                axes.plot(*zip(*means.values()), color=color, marker="o", markersize=3, **MEAN_LINE)
                for strength, place in means.items():
                    axes.annotate(f"{strength:g}", place, (4, -7), textcoords="offset points", fontsize=6, color=INK)
        for axes, title in zip(panels, ("Texts on topic", "Words of the topic\nthat were not given")):
            axes.set_title(title, loc="left", fontweight="bold")
            axes.set_xlabel("perplexity of the texts")
            axes.set_ylabel("share")
            axes.set_ylim(bottom=0)
        add_legend(figure, self.title, [Entry(WAYS[way], color) for way, color in shades.items()])
        return figure


def read_points(paths: tuple[Path, ...]) -> Points:
    """Read what was measured of runs.

    Args:
        paths: Folders of runs, or of folders of runs.

    Returns:
        By way and strength, for each run: the share of texts on topic, that of words of the topic that were not given,
        and the perplexity; of what was measured several times in a run, the last.

    Raises:
        click.UsageError: Nothing of this was measured.
    """
    values = {
        (str(line.record.get("by")), line.number_at("strength"), run): (
            line.number_at("on_topic"),
            line.number_at("other"),
            line.number_at("perplexity"),
        )
        for run, _, line in measured(paths, "cli backpack topics-view")
        if line.record["measure"] == "topics"
    }
    if not values:
        raise click.UsageError("no run has measured topic control; run cli backpack topics")
    found: Points = defaultdict(lambda: defaultdict(list))
    for (way, strength, _), value in values.items():
        found[way][strength].append(value)
    return found
