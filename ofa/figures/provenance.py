"""Where the rows of new vocabularies come from, by method."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import click

from ofa.figures.methods import LANGUAGES, add_bar_legend, called, folders, ordered, parted
from semeqv.grammar.action import Positional
from semeqv.lazy import matplotlib
from semeqv.results.figures.drawing import Drawn, Look, figure_action
from semeqv.results.figures.style import COLUMN, new_figure, short_number

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


@figure_action("ofa provenance-view", output="figures/provenance.pdf")
def provenance_view(
    paths: Annotated[Sequence[Path], Positional()] = (), *, copied: bool = True, look: Look = Look()
) -> Drawn:
    """Draw which share of the rows each method copies, combines, predicts and draws.

    Args:
        paths: Folders of models that `cli ofa init` has written, or folders of runs that hold them as
            `models/SEED-METHOD`; of several seeds the first counts. Each run is a panel, and so are single folders.
        copied: Whether to show the rows that are copied, which are the same for all methods, too.
        look: How it looks.

    Returns:
        The figure.

    Raises:
        click.UsageError: There is no folder, or (from `read_provenance`) one is empty or damaged.
    """
    if not paths:
        raise click.UsageError("cli ofa provenance-view: give folders that cli ofa init has written")
    panels: dict[str, Counts] = {}
    for path in paths:
        name, counts = read_provenance(path)
        panels.setdefault(name, {}).update(counts)
    return Drawn(draw_provenance(panels, copied=copied, look=look))


def read_provenance(path: Path) -> tuple[str, Counts]:
    """Read how many rows come from where.

    Args:
        path: The folder of a model, or of a run.

    Returns:
        What to call the panel, and the rows of each method by kind. `folders` and `counts_of` raise `click.UsageError`
        when there is nothing, or it is damaged.
    """
    if (path / MADE).is_file():
        return "", {path.name: counts_of(path)}
    counts: Counts = {}
    for folder in folders(path, "models", MADE):
        counts.setdefault(parted(folder)[1], counts_of(folder))
    return path.name, counts


def draw_provenance(
    panels: Mapping[str, Counts], *, copied: bool = True, look: Look = Look()
) -> matplotlib.figure.Figure:
    """Draw a panel for each run, a bar for each method.

    Args:
        panels: By what to call the panel, the rows of each method by kind.
        copied: As of `provenance_view`.
        look: How it looks.

    Returns:
        The figure.
    """
    kinds = [kind for kind in KINDS if copied or kind != "copied"]
    methods = ordered({method for counts in panels.values() for method in counts})
    figure = new_figure(COLUMN * max(len(panels), 1.3), 0.17 * len(methods) + 0.8, show=look.show)
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, counts) in zip(grid, panels.items()):
        total = max(sum(rows.get(kind, 0) for kind in kinds) for rows in counts.values())
        for place, method in enumerate(methods):
            start = 0.0
            for kind in kinds:
                share = counts.get(method, {}).get(kind, 0) / max(total, 1)
                axes.barh(place, share, 0.72, left=start, color=KINDS[kind][1])
                start += share
        axes.set_yticks(range(len(methods)), [called(method) for method in methods])
        what = "rows" if copied else "new rows"
        axes.set_xlabel(f"share of the {short_number(round(total, -2) if total >= 1000 else total)} {what}")
        axes.set_title(LANGUAGES.get(name, name), loc="left", fontweight="bold")
        axes.set_xlim(0, 1)
        axes.grid(visible=False)
        axes.tick_params(axis="y", length=0)
    grid[0].invert_yaxis()
    there = {kind for counts in panels.values() for rows in counts.values() for kind, count in rows.items() if count}
    shown = dict(KINDS[kind] for kind in kinds if kind in there)
    add_bar_legend(figure, look.title, shown, columns=len(shown))
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
