"""The options that every figure has."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from semeqv.figures.style import HOUSE, both_files


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What every figure can be told.

    Args:
        title: What stands above the figure.
        output: Where to write it. Both a PDF and a PNG are written, whichever suffix is given.
        palette: Where colours come from: `semeqv` (safe for the colour-blind) or any seaborn palette.
        color: Colours for the first curves, instead of the palette's; may be repeated.
        show: Open a window with the figure too.
        transparent: Leave the white background out.
    """

    title: str = ""
    output: Path = field(default=Path("figures/figure.pdf"), metadata={"alias": "path"})
    palette: str = HOUSE
    color: list[str] = field(default_factory=list)
    show: bool = False
    transparent: bool = False

    def __post_init__(self) -> None:
        both_files(self.output)


def check_limits(limits: tuple[float, float] | None) -> None:
    """Refuse limits of an axis that leave nothing between them.

    Args:
        limits: The lower and the upper one; None for no limits.

    Raises:
        ValueError: The lower one is not below the upper one.
    """
    if limits is not None and not limits[0] < limits[1]:
        raise ValueError(f"--ylim {limits[0]:g} {limits[1]:g}: write the lower limit first")


def check_positive(name: str, count: int | None) -> None:
    """Refuse a count below one.

    Args:
        name: The option, without its dashes.
        count: Its value; None when it was left out.

    Raises:
        ValueError: The count is below one.
    """
    if count is not None and count < 1:
        raise ValueError(f"--{name} {count}: write 1 or more")
