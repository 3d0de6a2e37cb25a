"""One-line messages to the user, on stderr."""

import functools
import os
import sys

import click
from termcolor import colored


def emphasise(word: str, colour: str) -> str:
    """Return a word in bold and in colour where stderr is a terminal and `NO_COLOR` is not set; else as it is."""
    terminal = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    wanted = terminal or "FORCE_COLOR" in os.environ
    if not wanted or "NO_COLOR" in os.environ:
        return word
    return colored(word, colour, attrs=["bold"], force_color=True)


def notice(message: str) -> None:
    """Tell the user what happens, in one line on stderr."""
    click.echo(f"{emphasise('Note:', 'cyan')} {message}", err=True, color=True)


@functools.cache
def notice_once(message: str) -> None:
    """Tell the user what was decided for them, the first time that it is so."""
    notice(message)


def warning(message: str) -> None:
    """Tell the user what they may not want, in one line on stderr."""
    click.echo(f"{emphasise('Warning:', 'yellow')} {message}", err=True, color=True)


def error(message: str) -> None:
    """Tell the user why nothing was done, on stderr."""
    click.echo(f"{emphasise('Error:', 'red')} {message}", err=True, color=True)
