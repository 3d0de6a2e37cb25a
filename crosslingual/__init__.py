"""Task and language vectors: what training changes, to be added to other models.

A study of semeqv. Importing this is cheap; numpy and torch wait until something is computed.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crosslingual.algebra import Checkpoint, TaskVector
    from crosslingual.merge import analogy, slerp, ties
    from crosslingual.sweep import swept

__all__ = ["Checkpoint", "TaskVector", "analogy", "slerp", "swept", "ties"]

HOMES = {"Checkpoint": "algebra", "TaskVector": "algebra", "swept": "sweeping"}


def __getattr__(name: str) -> Any:
    """What this package offers, by its name."""
    import importlib

    if name not in __all__:
        raise AttributeError(f"module 'crosslingual' has no attribute {name!r}")
    return getattr(importlib.import_module(f"crosslingual.{HOMES.get(name, 'methods')}"), name)
