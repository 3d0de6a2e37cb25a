"""Tables of what was measured."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def print_metrics(title: str, trainer: Any, found: Mapping[str | None, Mapping[str, Any]]) -> None:
    """Print one line for every run and data set.

    Args:
        title: What stands above the table.
        trainer: The Trainer that measured.
        found: The name of each data set to its metrics, arrays over replicas.
    """
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    named = any(found)
    table.add_column("run", overflow="fold")
    if named:
        table.add_column("set")
    names = list(next(iter(found.values())))
    for name in names:
        table.add_column(name, justify="right")
    for r, seed in enumerate(trainer.seeds):
        for key, metrics in found.items():
            run = str(trainer.runs[r].path) if trainer.runs else f"seed {seed}"
            table.add_row(run, *([key or ""] if named else []), *(f"{metrics[name][r]:.4f}" for name in names))
    Console(markup=False, highlight=False).print(table)
