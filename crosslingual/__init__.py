"""Task and language vectors: what training changes, to be added to other models.

    from crosslingual import Checkpoint

    base, tuned, task = map(Checkpoint.open, ("xlm-roberta-base", "runs/wikipedia-es", "runs/ner-en"))
    (task + 0.5 * (tuned - base)).save("models/ner-es")

A study of semeqv. Importing this is cheap; numpy and torch wait until something is computed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crosslingual.algebra import Checkpoint, TaskVector
    from crosslingual.arithmetic import analogy, apply, merge, slerp, ties
    from crosslingual.strengths import sweep

__all__ = ["Checkpoint", "TaskVector", "analogy", "apply", "merge", "slerp", "sweep", "ties"]

HOMES = {"Checkpoint": "algebra", "TaskVector": "algebra", "sweep": "strengths"}  # of others: arithmetic


def __getattr__(name: str) -> Any:
    """Return a public name of this package, importing its module."""
    if name not in __all__:
        raise AttributeError(f"module 'crosslingual' has no attribute {name!r}")
    return getattr(import_module(f"crosslingual.{HOMES.get(name, 'arithmetic')}"), name)
