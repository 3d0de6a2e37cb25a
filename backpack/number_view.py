"""How many senses a Backpack needs: perplexity and coverage against their number."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from semeqv.grammar.component import component, positional
from semeqv.results.figures.drawing import Drawing
from semeqv.results.figures.measured import measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KIND = re.compile(r"gpt2|senses(\d+)")
CURVES = {
    "homonyms": "homonyms",
    "others": "control: another's senses",
    "unambiguous": "control: one-sense words",
}


@component("backpack number-view")
@dataclass(frozen=True, kw_only=True)
class NumberView(Drawing):
    """Draw perplexity, and coverage of homonyms beside its controls, against the number of senses.

    Folders of runs are called like `42-senses8` and `42-gpt2`, and others are passed over; they have been measured by
    `cli perplexity` and `cli backpack coverage`. A dot is a run, a line the mean.

    Args:
        paths: Folders of runs, or of folders of runs.
    """

    paths: tuple[Path, ...] = positional()
    output: Path = field(default=Path("figures/number.pdf"), metadata={"alias": "path"})

    def build(self) -> None:
        """Read the runs and write the figure."""
        from semeqv.results.figures.style import finish, house_style

        perplexity, coverage = read_numbers(self.paths)
        with house_style():
            finish(self.draw(perplexity, coverage), self.output, show=self.show, transparent=self.transparent)

    def draw(self, perplexity: dict[int, list[float]], coverage: dict[str, dict[int, list[float]]]) -> Figure:
        """Draw two panels.

        Args:
            perplexity: By the number of senses, 0 for the control without any, the values of the runs.
            coverage: By kind of words, the same.

        Returns:
            The figure, not yet written.
        """
        from semeqv.results.figures.legend import Entry, add_legend
        from semeqv.results.figures.style import COLUMN, INK, colors, new_figure

        figure = new_figure(COLUMN * 1.7, 2.5, show=self.show)
        left, right = figure.subplots(1, 2)
        shades = dict(zip(CURVES, colors(3, self.palette, self.color, first=1)))
        senses = {count: values for count, values in perplexity.items() if count}
        draw_curve(left, senses, INK)
        if control := perplexity.get(0):
            left.axhline(sum(control) / len(control), color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        left.set_title("Perplexity", loc="left", fontweight="bold")
        for kind, color in shades.items():
            draw_curve(right, coverage.get(kind, {}), color)
        right.set_title("Both topics of a word\nare among its senses", loc="left", fontweight="bold")
        right.set_ylim(0, 1)
        for axes in (left, right):
            axes.set_xscale("log", base=2)
            axes.set_xticks(sorted(senses), [str(count) for count in sorted(senses)])
            axes.set_xlabel("senses")
        entries = [Entry("Backpack", INK), Entry("GPT-2", INK, "dashes")]
        add_legend(figure, self.title, entries + [Entry(CURVES[kind], shades[kind]) for kind in CURVES])
        return figure


def draw_curve(axes: Axes, values: dict[int, list[float]], color: str) -> None:
    """Draw the mean of runs against the number of senses, and each run as a dot."""
    from statistics import fmean

    from semeqv.results.figures.style import MEAN_LINE

    counts = sorted(values)
    axes.plot(counts, [fmean(values[count]) for count in counts], color=color, **MEAN_LINE)
    for count in counts:
        axes.plot(
            [count] * len(values[count]), values[count], linestyle="none", marker="o", markersize=2.5, color=color
        )


def read_numbers(paths: tuple[Path, ...]) -> tuple[dict[int, list[float]], dict[str, dict[int, list[float]]]]:
    """Read what was measured of runs.

    Args:
        paths: Folders of runs, or of folders of runs.

    Returns:
        The perplexity of all text by the number of senses, and by kind of words the coverage by that number; of what
        was measured several times in a run, the last.

    Raises:
        click.UsageError: Nothing of this was measured.
    """
    values: dict[tuple[str, int, str], float] = {}
    for run, kind, line in measured(paths, "cli backpack number-view"):
        known = KIND.fullmatch(kind)
        if not known:
            continue
        number = int(known[1] or 0)
        if line.record["measure"] == "perplexity" and line.record.get("language") == "all":
            values["perplexity", number, run] = line.number_at("perplexity")
        elif line.record["measure"] == "coverage" and number:
            values[str(line.record.get("of")), number, run] = line.number_at("both")
    if not any(name == "perplexity" and number for name, number, _ in values):
        raise click.UsageError("no run of a Backpack has its perplexity; run cli perplexity and cli backpack coverage")
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (name, number, _), value in values.items():
        found[name][number].append(value)
    return found.pop("perplexity"), found
