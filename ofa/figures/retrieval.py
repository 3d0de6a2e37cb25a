"""How well a model finds translations with the vocabularies that methods have given it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import click

from ofa.figures.methods import GIVEN, SHADES, called, folders, given, ordered, parted
from semeqv.grammar.component import component, positional
from semeqv.lazy import matplotlib
from semeqv.results.figures.drawing import Drawing, check_positive
from semeqv.results.figures.style import COLUMN, INK, finish, house_style, new_figure
from semeqv.runs.reading import METRICS, read_metrics

NAMES = {"tatoeba": "Tatoeba", "flores": "FLORES", "bible": "Bible"}
LANGUAGES = {"de": "German", "deu": "German", "es": "Spanish", "fr": "French", "fra": "French", "zh": "Chinese"}


@dataclass
class Found:
    """The accuracies of one method on one corpus: a value for each seed, and its interval over sentences."""

    values: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)

    def joined(self, other: Found) -> Found:
        """These, then others."""
        return Found(self.values + other.values, self.lows + other.lows, self.highs + other.highs)


Panels = dict[tuple[str, str], dict[str, Found]]  # by language and corpus: by method


@component("ofa view")
@dataclass(frozen=True, kw_only=True)
class VocabularyView(Drawing):
    """Draw the accuracy of retrieval by method, coloured by what the method was given.

    A bar is the mean over seeds, a dot a seed, a line the bootstrap interval over sentences, its ends averaged over
    seeds. Folders are those of experiments/ofa-minilm.mk: `measured/42-ofa` and so on, with metrics.jsonl of `cli
    retrieval`.

    Args:
        paths: Folders of runs. Where several have the same method, language and corpus, the seeds of all count.
        k: The size of the list of nearest sentences.
    """

    paths: tuple[Path, ...] = positional()
    k: int = 1
    output: Path = field(default=Path("figures/vocabularies.pdf"), metadata={"alias": "path"})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("k", self.k)

    def build(self) -> None:
        """Read the runs and write the figure."""
        if not self.paths:
            raise click.UsageError("cli ofa view: give folders of runs, such as runs/ofa-minilm/fr")
        with house_style():
            finish(self.draw(self.read_all()), self.output, show=self.show, transparent=self.transparent)

    def read_all(self) -> Panels:
        """Read what was measured in all folders; panels that several of them have are joined."""
        panels: Panels = {}
        for path in self.paths:
            for key, panel in self.read(path).items():
                joined = panels.setdefault(key, {})
                for method, accuracies in panel.items():
                    joined[method] = joined[method].joined(accuracies) if method in joined else accuracies
        return panels

    def read(self, path: Path) -> Panels:
        """Read what was measured of the methods of a run.

        Args:
            path: The folder of the run.

        Returns:
            The accuracies.

        Raises:
            click.UsageError: There is nothing, or a number is none.
        """
        key, panels = f"accuracy@{self.k}", defaultdict[tuple[str, str], dict[str, Found]](dict)
        for folder in folders(path, "measured", METRICS):
            _, method = parted(folder)
            last = {}
            for line in read_metrics(folder / METRICS):
                record = line.record
                if record.get("measure") == "retrieval" and record.get("direction") == "both" and key in record:
                    last[str(record.get("of")), str(record.get("corpus"))] = line
            for (of, corpus), line in last.items():
                each = panels[LANGUAGES.get(of, of), corpus].setdefault(method, Found())
                each.values.append(line.number_at(key))
                each.lows.append(line.number_at(f"{key}_low"))
                each.highs.append(line.number_at(f"{key}_high"))
        if not panels:
            raise click.UsageError(f"{path}: no run has the retrieval of cli retrieval with {key!r}")
        return dict(panels)

    def draw(self, panels: Panels) -> matplotlib.figure.Figure:
        """Draw a panel for each language and corpus."""
        languages = list(dict.fromkeys(language for language, _ in panels))
        corpora = list(dict.fromkeys(corpus for _, corpus in panels))
        methods = ordered({method for panel in panels.values() for method in panel})
        figure = new_figure(COLUMN * 2, (0.17 * len(methods) + 0.5) * len(languages) + 0.5, show=self.show)
        grid = figure.subplots(len(languages), len(corpora), sharey=True, squeeze=False)
        for row, language in enumerate(languages):
            for axes, corpus in zip(grid[row], corpora):
                draw_bars(axes, panels.get((language, corpus), {}), methods)
                axes.set_title(f"{language}, {NAMES.get(corpus, corpus)}", loc="left", fontweight="bold")
                axes.set_yticks(range(len(methods)), [called(method) for method in methods])
        for axes in grid[-1]:
            axes.set_xlabel(f"accuracy at {self.k}, mean of both directions")
        grid[0][0].invert_yaxis()
        kinds = [kind for kind in GIVEN if any(given(method) == kind for method in methods)]
        figure.legend(
            [matplotlib.patches.Patch(color=SHADES[kind], alpha=0.8) for kind in kinds],
            [GIVEN[kind] for kind in kinds],
            loc="outside upper left",
            title=self.title or None,
            alignment="left",
            ncols=2,
            title_fontproperties={"size": 8.5, "weight": "bold"},
        )
        return figure


def draw_bars(axes: matplotlib.axes.Axes, panel: dict[str, Found], methods: list[str]) -> None:
    """Draw a bar for each method, with its value."""
    for place, method in enumerate(methods):
        each = panel.get(method)
        if each is None:
            continue
        mean, color = fmean(each.values), SHADES[given(method)]
        axes.barh(place, mean, 0.72, color=color, alpha=0.8)
        axes.plot([fmean(each.lows), fmean(each.highs)], [place, place], color=INK, linewidth=0.8)
        if len(each.values) > 1:
            axes.plot(each.values, [place] * len(each.values), linestyle="none", marker="o", markersize=1.8, color=INK)
        end = max(fmean(each.highs), *each.values, mean)
        axes.annotate(f"{mean:.3f}", (end, place), (3, 0), textcoords="offset points", va="center", fontsize=6)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, axes.get_xlim()[1] * 1.1)
    axes.tick_params(axis="y", length=0)
