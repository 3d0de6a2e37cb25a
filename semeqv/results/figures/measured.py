"""What runs have measured, for figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from semeqv.runs.reading import Line


def measured(paths: tuple[Path, ...], command: str) -> Iterator[tuple[str, str, Line]]:
    """Read the measures of runs, whose folders are called like `42-senses8`.

    Args:
        paths: Folders of runs, or of folders of runs.
        command: Who asks, for the message.

    Yields:
        The run, its kind (what follows the seed in its name), and a line of its metrics that is a measure.

    Raises:
        click.UsageError: No folder is given, or one has no run.
    """
    from semeqv.runs.reading import metrics_files, read_metrics

    if not paths:
        raise click.UsageError(f"{command}: give the folder of measured runs")
    for file in metrics_files(paths):
        name = file.parent.name
        for line in read_metrics(file):
            if "measure" in line.record:
                yield name, name.partition("-")[2] or name, line
