"""How language models hold word meaning: one chained command, one Trainer, four studies.

import semeqv

outcome = semeqv.run("--steps 100 cli dataset babel cli model gpt2 cli optimizers adamw cli train")
trainer = semeqv.Trainer().set_model(model).set_optimizer(AdamW()).set_trainsplit(data)
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from semeqv.version import __version__

if TYPE_CHECKING:
    from semeqv.train.run import Outcome
    from semeqv.train.trainer import Trainer

__all__ = ["Trainer", "__version__", "run"]


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


def __getattr__(name: str) -> Any:
    """Return what is imported when it is first used."""
    if name != "Trainer":
        raise AttributeError(f"module 'semeqv' has no attribute {name!r}")
    from semeqv.train.trainer import Trainer

    return Trainer
