"""The losses of models that go on after they were given a new vocabulary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import click

from ofa.figures.methods import SHADES, called, folders, given, ordered, parted
from semeqv.grammar.action import Positional
from semeqv.lazy import matplotlib, numpy
from semeqv.results.figures.drawing import Drawn, Look, check_limits, check_positive, figure_action
from semeqv.results.figures.style import BAND, COLUMN, MEAN_LINE, count_epochs, label_ends, new_figure
from semeqv.runs.reading import read_metrics

STEPS = "steps.jsonl"


def check_losses(options: Any) -> None:
    """Refuse a window without a step, and limits that leave nothing between them: `ValueError`."""
    check_positive("window", options.window)
    check_limits("ylim", options.ylim)


@figure_action("ofa losses", output="figures/losses.pdf", check=check_losses)
def losses(
    paths: Annotated[Sequence[Path], Positional()] = (),
    *,
    window: int = 20,
    skip: Sequence[str] = (),
    ylim: tuple[float, float] | None = None,
    look: Look = Look(),
) -> Drawn:
    """Draw the training loss of every initialiser in one plot: the mean over seeds, and the range of the seeds.

    Folders are those of experiments/ofa-pretrain.mk: `continued/42-ofa` and so on, with a line for each step in
    steps.jsonl. Batches of one seed are the same for all methods.

    Args:
        paths: The folder of the run.
        window: A point is the mean of so many steps, to either side half of them.
        skip: Methods to leave out; may be repeated.
        ylim: Lower and upper limit of the loss.
        look: How it looks.

    Returns:
        The figure.

    Raises:
        click.UsageError: There is not one folder, or (from `read_losses`) it has no losses.
    """
    if len(paths) != 1:
        raise click.UsageError("cli ofa losses: give the folder of one run, such as runs/ofa-pretrain-babel-small")
    return Drawn(draw_losses(read_losses(paths[0], window=window, skip=skip), window=window, ylim=ylim, look=look))


def read_losses(path: Path, *, window: int = 20, skip: Container[str] = ()) -> dict[str, list[numpy.ndarray]]:
    """Read the losses of every method and seed.

    Args:
        path: The folder of the run.
        window: How many steps are averaged.
        skip: Methods to leave out.

    Returns:
        By method: of each seed the losses, smoothed, (steps,). `folders` and `number_at` raise `click.UsageError` when
        there is none, or one is no number.
    """
    by_method = defaultdict(list)
    for folder in folders(path, "continued", STEPS):
        _, method = parted(folder)
        if method not in skip:
            by_step = {line.number_at("step"): line.number_at("loss") for line in read_metrics(folder / STEPS)}
            in_order = numpy.array([by_step[step] for step in sorted(by_step)])
            by_method[method].append(smoothed(in_order, window))
    return dict(by_method)


def draw_losses(
    losses: Mapping[str, Sequence[numpy.ndarray]],
    *,
    window: int = 20,
    ylim: tuple[float, float] | None = None,
    look: Look = Look(),
) -> matplotlib.figure.Figure:
    """Draw a curve for each method, its name at its end.

    Args:
        losses: What `read_losses` returns.
        window: How many steps were averaged.
        ylim: Lower and upper limit of the loss.
        look: How it looks.

    Returns:
        The figure.
    """
    figure = new_figure(COLUMN * 1.9, 3.2, show=look.show)
    axes, ends = figure.subplots(), []
    if look.title:
        figure.suptitle(look.title)
    methods = ordered(losses)
    for method, color in zip(methods, shades_of([given(method) for method in methods])):
        length = min(map(len, losses[method]))
        runs = numpy.stack([run[:length] for run in losses[method]])  # (seeds, steps)
        steps = numpy.arange(1, length + 1)
        axes.fill_between(steps, runs.min(0), runs.max(0), color=color, **BAND)
        axes.plot(steps, runs.mean(0), color=color, **MEAN_LINE | {"linewidth": 1.2})
        ends.append((float(runs.mean(0)[-1]), called(method), color))
    axes.margins(x=0)
    axes.set_ylabel(f"masked-LM training loss (nats), mean of {window} steps")
    count_epochs(axes.xaxis, "step, in the new language")
    if ylim is not None:
        axes.set_ylim(*ylim)
    label_ends(axes, ends)
    return figure


def smoothed(values: numpy.ndarray, window: int) -> numpy.ndarray:
    """Return the mean around each value, over as many as there are at the ends, (values,)."""
    sums = numpy.cumsum(numpy.concatenate([[0.0], values]))
    places = numpy.arange(len(values))
    first, last = numpy.maximum(places - window // 2, 0), numpy.minimum(places + (window + 1) // 2, len(values))
    last = numpy.maximum(last, first + 1)
    means: numpy.ndarray = (sums[last] - sums[first]) / (last - first)
    return means


def shades_of(kinds: list[str]) -> list[str]:
    """Return a colour for each method: that of what it is given, lighter from one to the next."""
    seen: dict[str, int] = {}
    colours = []
    for kind in kinds:
        place, count = seen.get(kind, 0), kinds.count(kind)
        seen[kind] = place + 1
        light = 0.55 * (count - 1 - place) / max(count - 1, 1) if count > 1 else 0.0
        red, green, blue = (part + (1 - part) * light for part in matplotlib.colors.to_rgb(SHADES[kind]))
        colours.append(matplotlib.colors.to_hex((red, green, blue)))
    return colours
