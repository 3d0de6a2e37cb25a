"""How language models hold word meaning: one chained command, one Trainer, four studies."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semeqv.version import __version__

if TYPE_CHECKING:
    from semeqv.train.run import Outcome

__all__ = ["__version__", "run"]


def run(line: str | Sequence[str]) -> "Outcome":
    """Run a sentence as the command does, in this process.

    Args:
        line: What would stand behind `semeqv`, as one text or as its words.

    Returns:
        The folder of the run, the Trainer, and what the actions gave back. `click.ClickException` is raised in place of
        what ends the command with a line.
    """
    import shlex

    from semeqv.grammar.plugins import command

    words = shlex.split(line) if isinstance(line, str) else list(line)
    outcome: Outcome = command().main(words, prog_name="semeqv", standalone_mode=False)
    return outcome
