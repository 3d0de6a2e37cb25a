"""How well a model finds translations with the vocabularies that methods have given it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import click

from ofa.figures.methods import GIVEN, LANGUAGES, SHADES, add_bar_legend, called, folders, given, ordered, parted
from semeqv.grammar.action import Positional
from semeqv.lazy import matplotlib
from semeqv.results.figures.drawing import Drawn, Look, check_positive, figure_action
from semeqv.results.figures.style import COLUMN, INK, new_figure
from semeqv.runs.reading import METRICS, read_metrics

NAMES = {"tatoeba": "Tatoeba", "flores": "FLORES", "bible": "Bible"}


@dataclass
class Accuracies:
    """The accuracies of one method on one corpus: a value for each seed, and its interval over sentences."""

    values: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)

    def joined(self, other: Accuracies) -> Accuracies:
        """Return these, then others."""
        return Accuracies(self.values + other.values, self.lows + other.lows, self.highs + other.highs)


Panels = dict[tuple[str, str], dict[str, Accuracies]]  # by language and corpus: by method


def check_view(options: Any) -> None:
    """Refuse a list without a sentence: `ValueError`."""
    check_positive("k", options.k)


@figure_action("ofa view", output="figures/vocabularies.pdf", check=check_view)
def view(paths: Annotated[Sequence[Path], Positional()] = (), *, k: int = 1, look: Look = Look()) -> Drawn:
    """Draw the accuracy of retrieval by method, coloured by what the method was given.

    A bar is the mean over seeds, a dot a seed, a line the bootstrap interval over sentences, its ends averaged over
    seeds. Folders are those of experiments/ofa-minilm.mk: `measured/42-ofa` and so on, with metrics.jsonl of `cli
    retrieval`.

    Args:
        paths: Folders of runs. Where several have the same method, language and corpus, the seeds of all count.
        k: The size of the list of nearest sentences.
        look: How it looks.

    Returns:
        The figure.

    Raises:
        click.UsageError: There is no folder, or (from `read_accuracies`) one has no such measure.
    """
    if not paths:
        raise click.UsageError("cli ofa view: give folders of runs, such as runs/ofa-minilm/fr")
    return Drawn(draw_retrieval(read_panels(paths, k), k=k, look=look))


def read_panels(paths: Sequence[Path], k: int = 1) -> Panels:
    """Read what was measured in some folders; panels that several of them have are joined."""
    panels: Panels = {}
    for path in paths:
        for key, panel in read_accuracies(path, k).items():
            joined = panels.setdefault(key, {})
            for method, accuracies in panel.items():
                joined[method] = joined[method].joined(accuracies) if method in joined else accuracies
    return panels


def read_accuracies(path: Path, k: int = 1) -> Panels:
    """Read what was measured of the methods of a run.

    Args:
        path: The folder of the run.
        k: The size of the list of nearest sentences.

    Returns:
        The accuracies.

    Raises:
        click.UsageError: There is nothing, or a number is none.
    """
    key, panels = f"accuracy@{k}", defaultdict[tuple[str, str], dict[str, Accuracies]](dict)
    for folder in folders(path, "measured", METRICS):
        _, method = parted(folder)
        last = {}
        for line in read_metrics(folder / METRICS):
            record = line.record
            if record.get("measure") == "retrieval" and record.get("direction") == "both" and key in record:
                last[str(record.get("of")), str(record.get("corpus"))] = line
        for (of, corpus), line in last.items():
            accuracies = panels[LANGUAGES.get(of, of), corpus].setdefault(method, Accuracies())
            accuracies.values.append(line.number_at(key))
            accuracies.lows.append(line.number_at(f"{key}_low"))
            accuracies.highs.append(line.number_at(f"{key}_high"))
    if not panels:
        raise click.UsageError(f"{path}: no run has the retrieval of cli retrieval with {key!r}")
    return dict(panels)


def draw_retrieval(panels: Panels, *, k: int = 1, look: Look = Look()) -> matplotlib.figure.Figure:
    """Draw a panel for each language and corpus.

    Args:
        panels: What `read_panels` returns.
        k: The size of the list of nearest sentences.
        look: How it looks.

    Returns:
        The figure.
    """
    languages = list(dict.fromkeys(language for language, _ in panels))
    corpora = list(dict.fromkeys(corpus for _, corpus in panels))
    methods = ordered({method for panel in panels.values() for method in panel})
    figure = new_figure(COLUMN * 2, (0.17 * len(methods) + 0.5) * len(languages) + 0.5, show=look.show)
    grid = figure.subplots(len(languages), len(corpora), sharey=True, squeeze=False)
    for row, language in enumerate(languages):
        for axes, corpus in zip(grid[row], corpora):
            draw_bars(axes, panels.get((language, corpus), {}), methods)
            axes.set_title(f"{language}, {NAMES.get(corpus, corpus)}", loc="left", fontweight="bold")
            axes.set_yticks(range(len(methods)), [called(method) for method in methods])
    for axes in grid[-1]:
        axes.set_xlabel(f"accuracy at {k}, mean of both directions")
    grid[0][0].invert_yaxis()
    kinds = {given(method) for method in methods}
    shown = {words: SHADES[kind] for kind, words in GIVEN.items() if kind in kinds}
    add_bar_legend(figure, look.title, shown, columns=2, alpha=0.8)
    return figure


def draw_bars(axes: matplotlib.axes.Axes, panel: Mapping[str, Accuracies], methods: Sequence[str]) -> None:
    """Draw a bar for each method, with its value."""
    for place, method in enumerate(methods):
        accuracies = panel.get(method)
        if accuracies is None:
            continue
        values, low, high = accuracies.values, fmean(accuracies.lows), fmean(accuracies.highs)
        mean, color = fmean(values), SHADES[given(method)]
        axes.barh(place, mean, 0.72, color=color, alpha=0.8)
        axes.plot([low, high], [place, place], color=INK, linewidth=0.8)
        if len(values) > 1:
            axes.plot(values, [place] * len(values), linestyle="none", marker="o", markersize=1.8, color=INK)
        end = max(high, *values, mean)
        axes.annotate(f"{mean:.3f}", (end, place), (3, 0), textcoords="offset points", va="center", fontsize=6)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, axes.get_xlim()[1] * 1.1)
    axes.tick_params(axis="y", length=0)
