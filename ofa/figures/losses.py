"""The losses of models that go on after they were given a new vocabulary."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ofa.figures.methods import SHADES, called, folders, given, ordered, parted
from semeqv.grammar.component import component, positional
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.drawing import Drawing, check_limits, check_positive
from semeqv.results.figures.style import (
    BAND,
    COLUMN,
    MEAN_LINE,
    count_epochs,
    finish,
    house_style,
    label_ends,
    new_figure,
)
from semeqv.runs.reading import read_metrics

if TYPE_CHECKING:
    Losses = dict[str, list[numpy.ndarray]]  # by method: of each seed, (steps,)

STEPS = "steps.jsonl"


@component("ofa losses")
@dataclass(frozen=True, kw_only=True)
class LossesView(Drawing):
    """Draw the training loss of every initialiser in one plot: the mean over seeds, and the range of the seeds.

    Folders are those of experiments/ofa-pretrain.mk: `continued/42-ofa` and so on, with a line for each step in
    steps.jsonl. Batches of one seed are the same for all methods.

    Args:
        paths: The folder of the run.
        window: A point is the mean of so many steps, to either side half of them.
        skip: Methods to leave out; may be repeated.
        ylim: Lower and upper limit of the loss.
    """

    paths: tuple[Path, ...] = positional()
    window: int = 20
    skip: list[str] = field(default_factory=list)
    ylim: tuple[float, float] | None = None
    output: Path = field(default=Path("figures/losses.pdf"), metadata={"alias": "path"})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("window", self.window)
        check_limits("ylim", self.ylim)

    def build(self) -> None:
        """Read the runs and write the figure."""
        if len(self.paths) != 1:
            raise click.UsageError("cli ofa losses: give the folder of one run, such as runs/ofa-pretrain-babel-small")
        with house_style():
            finish(self.draw(self.read(self.paths[0])), self.output, show=self.show, transparent=self.transparent)

    def read(self, path: Path) -> Losses:
        """Read the losses of every method and seed.

        Args:
            path: The folder of the run.

        Returns:
            The losses, smoothed; `click.UsageError` is raised when there is none, or one is no number.
        """
        by_method = defaultdict(list)
        for folder in folders(path, "continued", STEPS):
            _, method = parted(folder)
            if method not in self.skip:
                values = {line.number_at("step"): line.number_at("loss") for line in read_metrics(folder / STEPS)}
                losses = numpy.array([values[step] for step in sorted(values)])
                by_method[method].append(smoothed(losses, self.window))
        return dict(by_method)

    def draw(self, losses: Losses) -> matplotlib.figure.Figure:
        """Draw a curve for each method, its name at its end."""
        figure = new_figure(COLUMN * 1.9, 3.2, show=self.show)
        axes, ends = figure.subplots(), []
        if self.title:
            figure.suptitle(self.title)
        for method, color in zip(methods := ordered(losses), shades_of([given(each) for each in methods])):
            length = min(map(len, losses[method]))
            runs = numpy.stack([each[:length] for each in losses[method]])
            steps = numpy.arange(1, length + 1)
            axes.fill_between(steps, runs.min(0), runs.max(0), color=color, **BAND)
            axes.plot(steps, runs.mean(0), color=color, **MEAN_LINE | {"linewidth": 1.2})
            ends.append((float(runs.mean(0)[-1]), called(method), color))
        axes.margins(x=0)
        axes.set_ylabel(f"masked-LM training loss (nats), mean of {self.window} steps")
        count_epochs(axes.xaxis, "step, in the new language")
        if self.ylim is not None:
            axes.set_ylim(*self.ylim)
        label_ends(axes, ends)
        return figure


def smoothed(values: numpy.ndarray, window: int) -> numpy.ndarray:
    """Average around each value, over as many as there are at the ends, `(values,)`."""
    sums = numpy.cumsum(numpy.concatenate([[0.0], values]))
    places = numpy.arange(len(values))
    first, last = numpy.maximum(places - window // 2, 0), numpy.minimum(places + (window + 1) // 2, len(values))
    last = numpy.maximum(last, first + 1)
    means: numpy.ndarray = (sums[last] - sums[first]) / (last - first)
    return means


def shades_of(kinds: list[str]) -> list[str]:
    """Choose a colour for each method: that of what it is given, lighter from one to the next."""
    seen: dict[str, int] = {}
    colours = []
    for kind in kinds:
        place, count = seen.get(kind, 0), kinds.count(kind)
        seen[kind] = place + 1
        light = 0.55 * (count - 1 - place) / max(count - 1, 1) if count > 1 else 0.0
        red, green, blue = (part + (1 - part) * light for part in matplotlib.colors.to_rgb(SHADES[kind]))
        colours.append(matplotlib.colors.to_hex((red, green, blue)))
    return colours
