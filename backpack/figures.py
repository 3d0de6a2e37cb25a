"""Figures: senses beside their controls, the number of senses, and topic control."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import click

from semeqv.grammar.component import component, positional
from semeqv.lazy import matplotlib
from semeqv.results.figures.curves import measured
from semeqv.results.figures.drawing import Drawing
from semeqv.results.figures.legend import Entry, add_legend
from semeqv.results.figures.style import COLUMN, INK, MEAN_LINE, colors, finish, house_style, new_figure

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
    """Draw coverage of homonyms, disambiguation, and the similarity of translations, each beside its controls.

    A bar is the mean over runs, a dot a run. Folders of runs are called like `42-senses8` and `42-gpt2`: GPT-2, and
    Backpacks of one kind. They have been measured by `cli backpack coverage`, `disambiguation` and `invariance`.

    Args:
        paths: Folders of runs, or of folders of runs.
    """

    paths: tuple[Path, ...] = positional()
    output: Path = field(default=Path("figures/senses.pdf"), metadata={"alias": "path"})

    def build(self) -> None:
        """Read the runs and write the figure."""
        measures = read_measures(self.paths)
        with house_style():
            finish(self.draw(measures), self.output, show=self.show, transparent=self.transparent)

    def draw(self, measures: dict[str, dict[str, list[float]]]) -> matplotlib.figure.Figure:
        """Draw three panels.

        Args:
            measures: What `read_measures` returns.

        Returns:
            The figure, not yet written.
        """
        own, control, best = colors(3, self.palette, self.color or ["#0072B2", "#D55E00", "#555555"])
        figure = new_figure(COLUMN * 2.1, 2.9, show=self.show)
        if self.title:
            figure.suptitle(self.title)
        left, middle, right = figure.subplots(1, 3, width_ratios=[6, 6, 3.2])
        bars = {f"{kind} {of}": f"{label}" for kind in ("both", "distinct") for of, label in COVERAGE.items()}
        shades = [own, control, control] * 2
        draw_bars(left, measures["coverage"], bars, shades)
        left.set_title("Both topics of a word\nare among its senses", loc="left", fontweight="bold")
        left.set_ylabel("share of words")
        for place, label in ((1, "by any"), (4, "by different indices")):
            left.annotate(label, (place, 1.0), xycoords=("data", "axes fraction"), ha="center", va="top")
        shades = [own, control, control, control, control, best]
        draw_bars(middle, measures["disambiguation"], PARTED, shades)
        middle.set_title("Occurrences of homonyms\nparted by sense", loc="left", fontweight="bold")
        middle.set_ylabel("V-measure beyond chance")
        draw_bars(right, measures["invariance"], COSINES, [own, control, control])
        right.set_title("Senses of\ntranslations", loc="left", fontweight="bold")
        right.set_ylabel("cosine of centred senses")
        return figure


def draw_bars(
    axes: matplotlib.axes.Axes, values: dict[str, list[float]], labels: dict[str, str], shades: list[str]
) -> None:
    """Draw a bar for each label: the mean of its values, and a dot for each."""
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
    measures: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in PANELS}
    for (name, key, _), value in values.items():
        measures[name][key].append(value)
    return measures


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
        perplexity, coverage = read_numbers(self.paths)
        with house_style():
            finish(self.draw(perplexity, coverage), self.output, show=self.show, transparent=self.transparent)

    def draw(
        self, perplexity: dict[int, list[float]], coverage: dict[str, dict[int, list[float]]]
    ) -> matplotlib.figure.Figure:
        """Draw two panels.

        Args:
            perplexity: By the number of senses, 0 for the control without any, the values of the runs.
            coverage: By kind of words, the same.

        Returns:
            The figure, not yet written.
        """
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


def draw_curve(axes: matplotlib.axes.Axes, values: dict[int, list[float]], color: str) -> None:
    """Draw the mean of runs against the number of senses, and each run as a dot."""
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
    by_number: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (name, number, _), value in values.items():
        by_number[name][number].append(value)
    return by_number.pop("perplexity"), by_number


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
        points = read_points(self.paths)
        with house_style():
            finish(self.draw(points), self.output, show=self.show, transparent=self.transparent)

    def draw(self, points: Points) -> matplotlib.figure.Figure:
        """Draw a panel for each measure.

        Args:
            points: What `read_points` returns.

        Returns:
            The figure, not yet written.
        """
        figure = new_figure(COLUMN * 2.1, 2.3, show=self.show)
        shades = dict(zip(WAYS, colors(2, self.palette, self.color, first=1)))
        start = points.get("senses", {}).get(0.0)
        for axes, (name, title) in zip(figure.subplots(1, len(TOPIC_PANELS)), TOPIC_PANELS.items()):
            for way, color in shades.items():
                runs = ({0.0: start} if start else {}) | points.get(way, {})
                values = {strength: measures[name] for strength, measures in sorted(runs.items())}
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
    points: Points = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for (way, strength, _, name), value in values.items():
        points[way][strength][name].append(value)
    return points
