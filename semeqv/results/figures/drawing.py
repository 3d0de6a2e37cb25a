"""The options that every figure has."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar

import click

from semeqv.grammar.component import positional
from semeqv.lazy import matplotlib
from semeqv.results.figures.style import HOUSE, both_files, finish, house_style


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


@dataclass(frozen=True, kw_only=True)
class DrawingOfFolders(Drawing):
    """A figure with a part for each of the folders it is given.

    Args:
        label: What to call them, in their order; may be repeated. Their own names if left out.
    """

    paths: tuple[Path, ...] = positional()
    label: list[str] = field(default_factory=list)
    __command__: ClassVar[str]
    wanted: ClassVar[str]  # which folders, for the message that there are none

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.label) > len(self.paths) > 0:
            raise ValueError(f"--label: {len(self.label)} labels for {len(self.paths)} folders.")

    def build(self) -> None:
        """Read the folders and write the figure."""

        if not self.paths:
            raise click.UsageError(f"cli {self.__command__}: give {self.wanted}")
        parts = [self.read(path, label) for path, label in zip_longest(self.paths, self.label)]
        with house_style():
            finish(self.draw(parts), self.output, show=self.show, transparent=self.transparent)

    @abstractmethod
    def read(self, path: Path, label: str | None) -> Any:
        """Read what is drawn of one folder.

        Args:
            path: The folder, or the file in it.
            label: What to call it; its own name if None.

        Returns:
            What `draw` takes.

        Raises:
            click.UsageError: It holds no such thing.
        """

    @abstractmethod
    def draw(self, parts: list[Any]) -> matplotlib.figure.Figure:
        """Draw what was read.

        Args:
            parts: One for each folder.

        Returns:
            The figure.
        """


def check_limits(name: str, limits: tuple[float, float] | None) -> None:
    """Refuse limits of an axis that leave nothing between them.

    Args:
        name: The option, without its dashes.
        limits: The lower and the upper one; None for no limits.

    Raises:
        ValueError: The lower one is not below the upper one.
    """
    if limits is not None and not limits[0] < limits[1]:
        raise ValueError(f"--{name} {limits[0]:g} {limits[1]:g}: write the lower limit first")


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
