"""What topic control reaches, and what it costs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import click

from semeqv.grammar.component import component, positional
from semeqv.results.figures.drawing import Drawing
from semeqv.results.figures.measured import measured

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WAYS = {"senses": "weights of senses", "logits": "control: bias on logits"}
TOPIC_PANELS = {
    "on_topic": "Texts on topic",
    "other": "Words of the topic\nthat were not given",
    "distinct": "Different pairs\nof words",
    "perplexity": "Perplexity",
}
Points = dict[str, dict[float, dict[str, list[float]]]]


@component("backpack topics-view")
@dataclass(frozen=True, kw_only=True)
class TopicsView(Drawing):
    """Draw how many texts are on topic, how many words of it they have, and what that costs, against the strength.

    A dot is a run, a line the mean; strength 0 is no control at all. Runs have been measured by `cli backpack topics`.

    Args:
        paths: Folders of runs, or of folders of runs.
    """

    paths: tuple[Path, ...] = positional()
    output: Path = field(default=Path("figures/topics.pdf"), metadata={"alias": "path"})

    def build(self) -> None:
        """Read the runs and write the figure."""
        from semeqv.results.figures.style import finish, house_style

        points = read_points(self.paths)
        with house_style():
            finish(self.draw(points), self.output, show=self.show, transparent=self.transparent)

    def draw(self, points: Points) -> Figure:
        """Draw a panel for each measure.

        Args:
            points: What `read_points` gives.

        Returns:
            The figure, not yet written.
        """
        from semeqv.results.figures.legend import Entry, add_legend
        from semeqv.results.figures.style import COLUMN, MEAN_LINE, colors, new_figure

        figure = new_figure(COLUMN * 2.1, 2.3, show=self.show)
        shades = dict(zip(WAYS, colors(2, self.palette, self.color, first=1)))
        start = points.get("senses", {}).get(0.0)
        for axes, (name, title) in zip(figure.subplots(1, len(TOPIC_PANELS)), PANELS.items()):
            for way, color in shades.items():
                runs = ({0.0: start} if start else {}) | points.get(way, {})
                values = {strength: found[name] for strength, found in sorted(runs.items())}
                axes.plot(list(values), [fmean(each) for each in values.values()], color=color, **MEAN_LINE)
                for strength, each in values.items():
                    axes.plot([strength] * len(each), each, linestyle="none", marker="o", markersize=2.2, color=color)
            axes.set_title(title, loc="left", fontweight="bold")
            axes.set_xlabel("strength")
            axes.set_ylim(bottom=0)
        add_legend(figure, self.title, [Entry(WAYS[way], color) for way, color in shades.items()])
        return figure


def read_points(paths: tuple[Path, ...]) -> Points:
    """Read what was measured of runs.

    Args:
        paths: Folders of runs, or of folders of runs.

    Returns:
        By way, strength and measure, the values of the runs; of what was measured several times in a run, the last.

    Raises:
        click.UsageError: Nothing of this was measured.
    """
    values = {
        (str(line.record.get("by")), line.number_at("strength"), run, name): line.number_at(name)
        for run, _, line in measured(paths, "cli backpack topics-view")
        if line.record["measure"] == "topics"
        for name in TOPIC_PANELS
    }
    if not values:
        raise click.UsageError("no run has measured topic control; run cli backpack topics")
    found: Points = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for (way, strength, _, name), value in values.items():
        found[way][strength][name].append(value)
    return found
