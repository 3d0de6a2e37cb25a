"""The one look that all figures share, and how a figure is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from semeqv.lazy import matplotlib, pyplot
from semeqv.runs.files import whole_file

HOUSE = "semeqv"
# Okabe & Ito's colour-blind-safe hues (https://jfly.uni-koeln.de/color/), darkened where thin lines need it.
COLORS = ("#D55E00", "#0072B2", "#009E73", "#B0508B", "#C88A00", "#2F9BD8", "#555555")
INK, MUTED, FAINT = "#222222", "#6B6B6B", "#DDDDDD"
COLUMN = 3.5  # inches: one column of a two-column page

RUN_LINE: dict[str, Any] = {"linewidth": 0.6, "alpha": 0.5, "solid_joinstyle": "round"}
MEAN_LINE: dict[str, Any] = {"linewidth": 1.7, "solid_capstyle": "round", "solid_joinstyle": "round"}
BAND: dict[str, Any] = {"alpha": 0.16, "linewidth": 0}

RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    # The first is part of matplotlib: the same figure on every machine.
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 7,
    "figure.titlesize": 8.5,
    "figure.titleweight": "bold",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.labelspacing": 0.35,
    "legend.borderaxespad": 0.2,
    "figure.facecolor": "white",
    "savefig.facecolor": "auto",
    "savefig.dpi": 300,
    "figure.dpi": 150,
    "pdf.fonttype": 42,  # TrueType: searchable, and what publishers ask for
    "axes.unicode_minus": True,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and write in the house style within this block."""
    with matplotlib.rc_context(RC):
        yield


def new_figure(width: float, height: float, *, show: bool = False) -> matplotlib.figure.Figure:
    """Return an empty figure; only one that will be shown opens a window.

    Args:
        width: Inches.
        height: Inches.
        show: Whether the figure will be shown on the screen.

    Returns:
        The figure, laid out so that nothing overlaps.
    """
    if show:
        return pyplot.figure(figsize=(width, height), layout="constrained")

    return matplotlib.figure.Figure(figsize=(width, height), layout="constrained")


def colors(count: int, palette: str = HOUSE, explicit: Sequence[str] = (), *, first: int = 0) -> list[str]:
    """Return so many colours: the explicit ones first, then the palette's.

    Args:
        count: How many.
        palette: `semeqv`, or a seaborn palette.
        explicit: Colours to use instead of the first ones; those beyond the count are left out.
        first: Where to start in the house palette, so that figures about different things differ in colour.

    Returns:
        Hex codes such as `#0072B2`; the house palette starts over when it runs out.

    Raises:
        click.UsageError: There is no such colour or palette.
    """
    for color in explicit:
        if not matplotlib.colors.is_color_like(color):
            raise click.UsageError(f"--color {color}: no such colour; write a name or a hex code, such as '#0072B2'")
    if palette == HOUSE:
        found = [COLORS[(first + index) % len(COLORS)] for index in range(count)]
    else:
        import seaborn

        try:
            found = [matplotlib.colors.to_hex(color) for color in seaborn.color_palette(palette, count)]
        except ValueError:
            raise click.UsageError(
                f"--palette {palette}: no such palette; write '{HOUSE}', 'colorblind', 'deep', 'viridis', ..."
            ) from None
    return [*map(matplotlib.colors.to_hex, explicit), *found[len(explicit) :]][:count]


def short_number(value: float) -> str:
    """Write a count briefly: 50000 as 50k, 1500000 as 1.5M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def whole_numbers(axes: matplotlib.axes.Axes, most: int = 12) -> None:
    """Write ticks below some axes at whole numbers alone, where there is but one, too; at most so many."""
    low, high = axes.xaxis.get_data_interval()
    if high - low < 1:  # the limits that matplotlib would choose have no two whole numbers, and so it writes others
        axes.set_xlim(low - 0.5, high + 0.5)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(nbins=most, integer=True, min_n_ticks=1))


def fitted(text: str, inches: float, size: float = 7, *, bold: bool = False, most: int = 4) -> str:
    """Break a text into lines that fit a width; what is too long loses its middle.

    Args:
        text: Any text; names are broken after `-`, `_`, `.` and `/`, and anywhere if need be.
        inches: The width.
        size: Font size, in points.
        bold: Whether it is in bold print.
        most: How many lines there may be.

    Returns:
        The text with line breaks.
    """
    width = max(int(inches * 72 / (size * (0.74 if bold else 0.62))), 6)
    if len(text) > width * most - most:
        half = (width * most - most) // 2
        text = f"{text[:half]}…{text[-half + 1 :]}"
    lines = [""]
    for part in re.findall(r"[^\s\-_./]+[\s\-_./]*|[\s\-_./]+", text):
        if len((lines[-1] + part).rstrip()) > width and lines[-1]:
            lines.append("")
        for start in range(0, len(part), width):
            lines[-1] += part[start : start + width]
            lines += [""] * (start + width < len(part.rstrip()))
    return "\n".join(line.strip() for line in lines)


def count_epochs(axis: matplotlib.axis.Axis, unit: str = "epoch") -> None:
    """Label an axis that counts training epochs, or steps, thousands as 50k."""
    axis.set_label_text(f"training {unit}")
    axis.set_major_locator(
        matplotlib.ticker.MaxNLocator(nbins=6, integer=True, steps=[1, 2, 2.5, 5, 10], min_n_ticks=1)
    )
    axis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: short_number(value)))


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Move heights apart until labels written at them do not touch, each as little as possible.

    Args:
        values: The heights, in any order.
        gap: Least distance between two.

    Returns:
        The new heights, in the order given.
    """
    # Neighbours that touch form a block, centred on the mean of where its members want to be.
    blocks: list[list[int]] = []

    def centre(block: list[int]) -> float:
        return sum(values[index] for index in block) / len(block)

    for index in sorted(range(len(values)), key=values.__getitem__):
        blocks.append([index])
        while len(blocks) > 1:
            lower, upper = blocks[-2], blocks[-1]
            if centre(upper) - centre(lower) >= gap * (len(lower) + len(upper)) / 2:
                break
            blocks[-2:] = [lower + upper]
    heights = list(values)
    for block in blocks:
        for place, index in enumerate(block):
            heights[index] = centre(block) + gap * (place - (len(block) - 1) / 2)
    return heights


def label_ends(axes: matplotlib.axes.Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write texts at the right edge of the axes, at the heights where the curves end.

    Where curves end close together, their texts are moved apart, and a thin line leads from each end to its text.

    Args:
        axes: Where; its limits must be final.
        ends: Height, text and colour of each.
    """
    low, high = axes.get_ylim()
    width, height = (inches * 72 for inches in figure_size(axes))
    gap = (high - low) * 8 / (height * 0.6)  # points, about what the axes take
    heights = spread([min(max(end[0], low), high) for end in ends], gap)
    outside = max(low + gap / 2 - min(heights, default=low + gap / 2), 0)  # below the axes are the labels of the ticks
    heights = [at + min(outside, max(high - max(heights), 0)) for at in heights]
    moved = any(abs(at - end[0]) > gap / 2 for at, end in zip(heights, ends))
    aside = (16 if moved else 4) / (width * 0.8)
    leader = {"arrowstyle": "-", "linewidth": 0.6, "relpos": (0, 0.5), "patchA": None, "shrinkA": 2}
    for (end, text, color), at in zip(ends, heights):
        axes.annotate(
            text,
            xy=(1, min(max(end, low), high)),
            xycoords=("axes fraction", "data"),
            xytext=(1 + aside, at),
            textcoords=("axes fraction", "data"),
            color=color,
            va="center",
            fontsize=7,
            fontweight="bold",
            annotation_clip=False,
            arrowprops=leader | {"color": color} if moved else None,
        )


def both_files(path: Path) -> tuple[Path, Path]:
    """Return the PDF and the PNG that a path names, whichever of the two suffixes it has, or none.

    Args:
        path: The value of --output.

    Returns:
        The path of the PDF and that of the PNG.

    Raises:
        ValueError: The suffix is that of another kind of image, or the path names no file.
    """
    if path.suffix.lower() in {".pdf", ".png"}:
        path = path.with_suffix("")
    elif path.suffix.lower() in {".svg", ".jpg", ".jpeg", ".eps", ".ps", ".tif", ".tiff", ".webp"}:
        raise ValueError(f"--output {path}: figures are written as PDF and PNG; write {path.with_suffix('.pdf')}")
    if not path.name:
        raise ValueError(f"--output {str(path)!r} names no file; write for example figures/{HOUSE}.pdf")
    return path.with_name(path.name + ".pdf"), path.with_name(path.name + ".png")


def save(figure: matplotlib.figure.Figure, path: Path, *, transparent: bool = False) -> tuple[Path, Path]:
    """Write a figure as PDF and PNG (300 dpi) beside each other; each appears whole or not at all.

    Args:
        figure: What to write.
        path: Where; the suffix may be .pdf, .png or none.
        transparent: Leave the background out.

    Returns:
        The two files.

    Raises:
        click.UsageError: A file cannot be written there.
    """
    files = both_files(path)
    # Without a date, the same runs give the same bytes.
    metadata: dict[str, dict[str, None]] = {"pdf": {"CreationDate": None}, "png": {}}
    for file in files:
        kind = file.suffix[1:]
        try:
            with whole_file(file) as aside:
                figure.savefig(aside, format=kind, dpi=300, transparent=transparent, metadata=metadata[kind])
        except OSError as error:
            raise click.UsageError(f"--output {file}: cannot be written ({(error.strerror or '').lower()})") from None
    return files


def finish(figure: matplotlib.figure.Figure, path: Path, *, show: bool, transparent: bool) -> None:
    """Write a figure and, if asked, show it."""
    files = save(figure, path, transparent=transparent)
    click.echo(f"wrote {files[0]} and {files[1].name}")
    if show:
        if matplotlib.get_backend().lower() == "agg":
            click.echo(f"no display here to show it on: open {files[1]}")
        else:
            pyplot.show()
        pyplot.close(figure)


def figure_size(axes: matplotlib.axes.Axes) -> tuple[float, float]:
    """Return the width and height of the figure that some axes are in, in inches."""
    figure: Any = axes.figure  # no part of another figure, which matplotlib would allow
    return figure.get_figwidth(), figure.get_figheight()


def columns_of(axes: matplotlib.axes.Axes) -> int:
    """Return how many columns of panels the figure of some axes has; 1 where they are placed by hand."""
    grid = axes.get_gridspec()
    return 1 if grid is None else grid.ncols
