"""Figures as functions, and the options that every figure has."""

from __future__ import annotations

import functools
import inspect
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import click

from semeqv.grammar.action import Result, Spelled, Written, action, verifier
from semeqv.lazy import matplotlib
from semeqv.results.figures.curves import Ends
from semeqv.results.figures.style import HOUSE, both_files, colors, finish, house_style, save

P = ParamSpec("P")
D = TypeVar("D", bound="Drawn")


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a figure looks.

    Args:
        title: What stands above the figure.
        palette: Where colours come from: `semeqv` (safe for the colour-blind) or any seaborn palette.
        color: Colours for the first curves, instead of the palette's; may be repeated.
        show: Open a window with the figure too.
    """

    title: str = ""
    palette: str = HOUSE
    color: Sequence[str] = ()
    show: bool = False

    def colors(self, count: int, *, first: int = 0, default: Sequence[str] = ()) -> list[str]:
        """Return so many colours: those asked for, or the default ones, then the palette's from `first` on."""
        return colors(count, self.palette, self.color or default, first=first)


@dataclass(frozen=True)
class Drawn(Written):
    """A figure.

    Args:
        figure: The figure of matplotlib.
    """

    figure: matplotlib.figure.Figure

    def show(self) -> None:
        """Print nothing: the figure is what there is to see."""

    def save(self, path: str | Path, *, transparent: bool = False) -> tuple[Path, Path]:
        """Write the figure as PDF and PNG beside each other, and return their paths."""
        with house_style():
            return save(self.figure, Path(path), transparent=transparent)

    def _repr_png_(self) -> bytes:  # what a notebook shows
        stream = io.BytesIO()
        with house_style():
            self.figure.savefig(stream, format="png", dpi=150)
        return stream.getvalue()


@dataclass(frozen=True)
class DrawnWithTable(Drawn, Result):
    """A figure, and where its runs ended.

    Args:
        table: What is printed beside it.
    """

    table: Ends

    def show(self) -> None:
        """Print the table."""
        self.table.print()

    def records(self) -> list[dict[str, Any]]:
        """Return the rows of the table."""
        return self.table.records()


def figure_action(
    path: str, output: str, check: Callable[[Any], None] | None = None
) -> Callable[[Callable[P, D]], Callable[P, D]]:
    """Function decorator: draw in the house style, and declare the action `cli PATH`, which writes the figure.

    Args:
        path: The words of the command.
        output: Where it writes the figure if nothing else is said.
        check: As of `action`.

    Returns:
        The decorator.
    """

    def declare(function: Callable[P, D]) -> Callable[P, D]:
        verify = verifier(function, check)

        @functools.wraps(function)
        def styled(*args: P.args, **given: P.kwargs) -> D:
            verify(*args, **given)
            with house_style():
                return function(*args, **given)

        @functools.wraps(function)
        def command(*, output: Path, transparent: bool, **given: Any) -> D:
            both_files(output)
            with house_style():
                drawn = function(**given)  # type: ignore[call-arg]
                finish(drawn.figure, output, show=given["look"].show, transparent=transparent)
            return drawn

        own, option = inspect.signature(function), inspect.Parameter.KEYWORD_ONLY
        kind: Any = Path if "path" in own.parameters else Annotated[Path, Spelled("path")]
        added = [
            inspect.Parameter("output", option, default=Path(output), annotation=kind),
            inspect.Parameter("transparent", option, default=False, annotation=bool),
        ]
        command.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
        before, returns, after = inspect.cleandoc(function.__doc__ or "").partition("\nReturns:")
        command.__doc__ = before.rstrip() + SAVING + "\n" + returns + after

        def refuse(options: Any) -> None:
            both_files(options.output)
            if check is not None:
                check(options)

        styled.options = action(path, refuse, record=False)(command).options  # type: ignore[attr-defined]
        return styled

    return declare


SAVING = """
    output: Where to write it. Both a PDF and a PNG are written, whichever suffix is given.
    transparent: Leave the white background out.
"""


def labelled(paths: Sequence[Path], label: Sequence[str], command: str, wanted: str) -> list[tuple[Path, str | None]]:
    """Return folders with what to call each, None for its own name.

    Args:
        paths: The folders.
        label: Labels of the first of them.
        command: Who asks, for the message.
        wanted: Which folders, for the message that there are none.

    Returns:
        Pairs, in the order of the folders.

    Raises:
        click.UsageError: There is no folder.
    """
    if not paths:
        raise click.UsageError(f"cli {command}: give {wanted}")
    return list(zip_longest(paths, label))


def check_labels(options: Any) -> None:
    """Refuse more labels than folders: `ValueError`."""
    if len(options.label) > len(options.paths) > 0:
        raise ValueError(f"--label: {len(options.label)} labels for {len(options.paths)} folders.")


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
