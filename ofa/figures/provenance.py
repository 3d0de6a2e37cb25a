"""Where the rows of new vocabularies come from, by method."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import click

from ofa.figures.methods import called, folders, ordered, parted
from ofa.figures.retrieval import LANGUAGES
from semeqv.grammar.component import component, positional
from semeqv.lazy import matplotlib
from semeqv.results.figures.drawing import Drawing
from semeqv.results.figures.style import COLUMN, finish, house_style, new_figure, short_number

KINDS = {
    "copied": ("copied", "#9AA5B1"),
    "combined": ("combined", "#0072B2"),
    "predicted": ("predicted", "#009E73"),
    "mean": ("mean", "#C88A00"),
    "drawn": ("random", "#D55E00"),
    "unused": ("of no token", "#DDDDDD"),
}
MADE = "initialisation.json"

Counts = dict[str, dict[str, int]]  # by method: rows by kind


@component("ofa provenance-view")
@dataclass(frozen=True, kw_only=True)
class ProvenanceView(Drawing):
    """Draw which share of the rows each method copies, combines, predicts and draws.

    Args:
        paths: Folders of models that `cli ofa init` has written, or folders of runs that hold them as
            `models/SEED-METHOD`; of several seeds the first counts. Each run is a panel, and so are single folders.
        copied: Whether to show the rows that are copied, which are the same for all methods, too.
    """

    paths: tuple[Path, ...] = positional()
    copied: bool = True
    output: Path = field(default=Path("figures/provenance.pdf"), metadata={"alias": "path"})

    def build(self) -> None:
        """Read the folders and write the figure."""
        if not self.paths:
            raise click.UsageError("cli ofa provenance-view: give folders that cli ofa init has written")
        panels: dict[str, Counts] = {}
        for path in self.paths:
            name, counts = self.read(path)
            panels.setdefault(name, {}).update(counts)
        with house_style():
            finish(self.draw(panels), self.output, show=self.show, transparent=self.transparent)

    def read(self, path: Path) -> tuple[str, Counts]:
        """Read how many rows come from where.

        Args:
            path: A folder.

        Returns:
            What to call the panel, and the rows of each method by kind; `click.UsageError` is raised when there is
            nothing, or it is damaged.
        """
        if (path / MADE).is_file():
            return "", {path.name: counts_of(path)}
        counts: Counts = {}
        for folder in folders(path, "models", MADE):
            counts.setdefault(parted(folder)[1], counts_of(folder))
        return path.name, counts

    def draw(self, panels: dict[str, Counts]) -> matplotlib.figure.Figure:
        """Draw a panel for each run, a bar for each method."""
        kinds = [kind for kind in KINDS if self.copied or kind != "copied"]
        methods = ordered({method for counts in panels.values() for method in counts})
        height = 0.17 * len(methods) + 0.8
        figure = new_figure(COLUMN * max(len(panels), 1.3), height, show=self.show)
        grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (name, counts) in zip(grid, panels.items()):
            total = max(sum(each.get(kind, 0) for kind in kinds) for each in counts.values())
            for place, method in enumerate(methods):
                start = 0.0
                for kind in kinds:
                    share = counts.get(method, {}).get(kind, 0) / max(total, 1)
                    axes.barh(place, share, 0.72, left=start, color=KINDS[kind][1])
                    start += share
            axes.set_yticks(range(len(methods)), [called(method) for method in methods])
            rows = "rows" if self.copied else "new rows"
            axes.set_xlabel(f"share of the {short_number(round(total, -2) if total >= 1000 else total)} {rows}")
            axes.set_title(LANGUAGES.get(name, name), loc="left", fontweight="bold")
            axes.set_xlim(0, 1)
            axes.grid(visible=False)
            axes.tick_params(axis="y", length=0)
        grid[0].invert_yaxis()
        shown = [
            kind for kind in kinds if any(each.get(kind) for counts in panels.values() for each in counts.values())
        ]
        figure.legend(
            [matplotlib.patches.Patch(color=KINDS[kind][1]) for kind in shown],
            [KINDS[kind][0] for kind in shown],
            loc="outside upper left",
            title=self.title or None,
            alignment="left",
            ncols=len(shown),
            title_fontproperties={"size": 8.5, "weight": "bold"},
        )
        return figure


def counts_of(folder: Path) -> dict[str, int]:
    """Return the rows of a model by kind.

    Args:
        folder: What `cli ofa init` has written.

    Returns:
        How many there are of each.

    Raises:
        click.UsageError: Its initialisation.json cannot be read.
    """
    try:
        counts = json.loads((folder / MADE).read_text(encoding="utf-8"))["counts"]
        return {str(kind): int(count) for kind, count in counts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise click.UsageError(f"{folder / MADE}: holds no counts of rows; write the model anew") from None
