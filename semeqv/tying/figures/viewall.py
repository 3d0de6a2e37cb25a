"""How far apart all pairs of symbols of one run are, over training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from semeqv.grammar.component import component
from semeqv.results.figures.drawing import Drawing

if TYPE_CHECKING:
    import numpy
    from matplotlib.figure import Figure


@component("viewall")
@dataclass(frozen=True, kw_only=True)
class ViewAll(Drawing):
    """Draw how far apart every pair of symbols of one run is, over its records; some pairs in a colour.

    Args:
        path: File of distances (.npy): (records, symbols, symbols).
        special: Two symbols, and the colour of their pair; may be repeated. The others are grey.
    """

    path: Path
    special: list[tuple[int, int, str]] = field(default_factory=list)
    output: Path = Path("figures/all_distances.pdf")

    def build(self) -> None:
        """Read the file and write the figure."""
        from semeqv.results.figures.style import finish, house_style
        from semeqv.tying.figures.distances import read_distances

        special = [(min(one, other), max(one, other), color) for one, other, color in self.special]
        distances = read_distances(self.path, self.special, "--special")
        with house_style():
            finish(self.draw(distances, special), self.output, show=self.show, transparent=self.transparent)

    def draw(self, distances: numpy.ndarray, special: list[tuple[int, int, str]]) -> Figure:
        """Draw the distances of a run.

        Args:
            distances: (records, symbols, symbols).
            special: Two symbols, the smaller first, and a colour.

        Returns:
            The figure, not yet written.

        Raises:
            click.UsageError: There is no such colour.
        """
        import numpy
        from matplotlib.colors import is_color_like

        from semeqv.results.figures.legend import GREY, Entry, add_legend
        from semeqv.results.figures.style import COLUMN, MEAN_LINE, RUN_LINE, label_ends, new_figure

        for first, second, color in special:
            if not is_color_like(color):
                raise click.UsageError(
                    f"--special {first} {second} {color}: no such colour; write a name or a hex code"
                )
        figure = new_figure(COLUMN, 2.15 + 0.15 * len(special), show=self.show)
        axes = figure.add_subplot()
        rows, columns = numpy.triu_indices(distances.shape[1], 1)
        axes.plot(distances[:, rows, columns], color=GREY, zorder=2, **RUN_LINE)
        for one, other, color in special:
            axes.plot(distances[:, one, other], color=color, zorder=3, **MEAN_LINE)
        axes.set_xlabel("record")
        axes.set_ylabel("Euclidean distance between\nthe two (0: same embedding)")
        axes.margins(x=0)
        axes.set_ylim(0, axes.get_ylim()[1])
        ends = [(float(distances[-1, one, other]), f"{one}, {other}", color) for one, other, color in special]
        label_ends(axes, [end for end in ends if numpy.isfinite(end[0])])
        entries = [Entry(f"{one}, {other}", color) for one, other, color in special]
        add_legend(figure, self.title, [*entries, Entry("the other pairs" if special else "each pair", GREY)])
        return figure
