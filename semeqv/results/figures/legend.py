"""The legend above a figure: its title, its curves, and how to read thin lines, thick lines and bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any, Literal

from semeqv.lazy import matplotlib
from semeqv.results.figures.style import BAND, COLUMN, MEAN_LINE

GREY = "#808080"


@dataclass(frozen=True)
class Entry:
    """One line of a legend: its text, and the colour and kind of the sample before it."""

    text: str
    color: str = GREY
    kind: Literal["mean", "band", "dashes"] = "mean"

    def sample(self) -> matplotlib.artist.Artist | tuple[matplotlib.artist.Artist, ...]:
        """Return what stands before the text."""
        thick = matplotlib.lines.Line2D([], [], color=self.color, **MEAN_LINE)
        if self.kind == "band":
            return (matplotlib.patches.Patch(color=self.color, **BAND | {"alpha": 0.3}), thick)
        if self.kind == "dashes":
            return matplotlib.lines.Line2D([], [], color=self.color, linewidth=0.9, linestyle=(0, (4, 2)))
        return thick


def key_of_runs(runs: int, *, band: bool, ragged: bool) -> list[Entry]:
    """Return the grey entry that tells a run from the mean of all.

    Args:
        runs: How many runs are drawn.
        band: Whether the confidence of the mean is drawn.
        ragged: Whether some runs end before others.

    Returns:
        One entry; none for a single run, which needs no key.
    """
    if runs < 2:
        return []
    most = "up to " if ragged else ""
    band_words = " and its 95% confidence" if band else ""
    return [Entry(f"mean of {most}{runs} runs{band_words}; thin: each run", kind="band" if band else "mean")]


def add_legend(figure: matplotlib.figure.Figure, title: str, entries: Sequence[Entry]) -> None:
    """Put title and entries above the figure, flush left, one entry a line; long ones go on below."""
    columns = figure.get_figwidth() / COLUMN
    samples: list[Any] = [entry.sample() for entry in entries]  # a tuple of artists is drawn as one sample
    legend = figure.legend(
        samples,
        [fill(entry.text, int(60 * columns)) for entry in entries],
        loc="outside upper left",
        title=fill(title, int(45 * columns)) or None,
        alignment="left",
        title_fontproperties=matplotlib.font_manager.FontProperties(size=8.5, weight="bold"),
        handlelength=1.8,
    )
    for text, entry in zip(legend.get_texts(), entries):
        text.set_color("#555555" if entry.color == GREY else "#222222")
