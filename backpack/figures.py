"""What the senses of a Backpack know of homonyms, beside its controls."""

from __future__ import annotations

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

CONTROL = "gpt2"
PANELS = ("coverage", "disambiguation", "invariance")
COVERAGE = {"homonyms": "homonyms", "others": "other's senses", "unambiguous": "one-sense words"}
PARTED = {
    "backpack weights": "Backpack: weights",
    "backpack states": "its trunk, mean",
    "backpack word": "its trunk, at word",
    "gpt2 states": "GPT-2, mean",
    "gpt2 word": "GPT-2, at word",
    "gpt2 reader": "best possible",
}
COSINES = {"same_index": "same index", "other_index": "other index", "strangers": "no translation"}


@component("backpack view")
@dataclass(frozen=True, kw_only=True)
class SensesView(Drawing):
    """Draw coverage of homonyms, disambiguation, and the likeness of translations, each beside its controls.

    A bar is the mean over runs, a dot a run. Folders of runs are called like `42-senses8` and `42-gpt2`: GPT-2, and
    Backpacks of one kind. They have been measured by `cli backpack coverage`, `disambiguation` and `invariance`.

    Args:
        paths: Folders of runs, or of folders of runs.
    """

    paths: tuple[Path, ...] = positional()
    output: Path = field(default=Path("figures/senses.pdf"), metadata={"alias": "path"})

    def build(self) -> None:
        """Read the runs and write the figure."""
        from semeqv.results.figures.style import finish, house_style

        found = read_measures(self.paths)
        with house_style():
            finish(self.draw(found), self.output, show=self.show, transparent=self.transparent)

    def draw(self, found: dict[str, dict[str, list[float]]]) -> Figure:
        """Draw three panels.

        Args:
            found: What `read_measures` gives.

        Returns:
            The figure, not yet written.
        """
        from semeqv.results.figures.style import COLUMN, colors, new_figure

        own, control, best = colors(3, self.palette, self.color or ["#0072B2", "#D55E00", "#555555"])
        figure = new_figure(COLUMN * 2.1, 2.9, show=self.show)
        if self.title:
            figure.suptitle(self.title)
        left, middle, right = figure.subplots(1, 3, width_ratios=[6, 6, 3.2])
        bars = {f"{kind} {of}": f"{label}" for kind in ("both", "distinct") for of, label in COVERAGE.items()}
        shades = [own, control, control] * 2
        draw_bars(left, found["coverage"], bars, shades)
        left.set_title("Both topics of a word\nare among its senses", loc="left", fontweight="bold")
        left.set_ylabel("share of words")
        for place, said in ((1, "by any"), (4, "by different indices")):
            left.annotate(said, (place, 1.0), xycoords=("data", "axes fraction"), ha="center", va="top")
        shades = [own, control, control, control, control, best]
        draw_bars(middle, found["disambiguation"], PARTED, shades)
        middle.set_title("Occurrences of homonyms\nparted by sense", loc="left", fontweight="bold")
        middle.set_ylabel("V-measure beyond chance")
        draw_bars(right, found["invariance"], COSINES, [own, control, control])
        right.set_title("Senses of\ntranslations", loc="left", fontweight="bold")
        right.set_ylabel("cosine of centred senses")
        return figure


def draw_bars(axes: Axes, values: dict[str, list[float]], labels: dict[str, str], shades: list[str]) -> None:
    """Draw a bar for each label: the mean of its values, and a dot for each."""
    from statistics import fmean

    from semeqv.results.figures.style import INK

    for place, (key, color) in enumerate(zip(labels, shades)):
        runs = values.get(key, [])
        if not runs:
            continue
        axes.bar(place, fmean(runs), 0.7, color=color, alpha=0.75)
        axes.plot([place] * len(runs), runs, linestyle="none", marker="o", markersize=2.2, color=INK)
        axes.annotate(
            f"{fmean(runs):.2f}", (place, max(*runs, 0)), (0, 3), textcoords="offset points", ha="center", fontsize=6
        )
    axes.set_xticks(range(len(labels)), list(labels.values()), rotation=40, ha="right", rotation_mode="anchor")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0), high * 1.15)


def read_measures(paths: tuple[Path, ...]) -> dict[str, dict[str, list[float]]]:
    """Read what was measured of runs.

    Args:
        paths: Folders of runs, or of folders of runs.

    Returns:
        For `coverage`, `disambiguation` and `invariance`, by what was measured, the values of the runs; of what was
        measured several times in a run, the last.

    Raises:
        click.UsageError: A folder has no run, nothing of this was measured, or Backpacks of several kinds were.
    """
    values, kinds = dict[tuple[str, str, str], float](), set[str]()  # by measure, what was measured and run
    for run, kind, line in measured(paths, "cli backpack view"):
        record = line.record
        if kind != CONTROL and record["measure"] in PANELS:
            kinds.add(kind)
        if record["measure"] == "coverage":
            for key in ("both", "distinct"):
                values["coverage", f"{key} {record.get('of')}", run] = line.number_at(key)
        elif record["measure"] == "disambiguation":
            model = kind if kind == CONTROL else "backpack"
            values["disambiguation", f"{model} {record.get('by')}", run] = line.number_at("v_corrected")
        elif record["measure"] == "invariance" and record.get("of") == "centred":
            for key in COSINES:
                values["invariance", key, run] = line.number_at(key)
    if not values:
        raise click.UsageError("no run has measures; run cli backpack coverage, disambiguation and invariance")
    if len(kinds) > 1:
        raise click.UsageError(
            f"these are several kinds of Backpacks, {', '.join(sorted(kinds))}, and a bar is the mean of one; name the "
            f"folders of one kind and of {CONTROL}, without the others"
        )
    found: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in PANELS}
    for (name, key, _), value in values.items():
        found[name][key].append(value)
    return found
