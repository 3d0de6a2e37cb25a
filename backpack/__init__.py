"""Backpack language models: networks, senses, conversion. A study of semeqv.

`import backpack` lets the Auto classes of transformers open what was saved. The command line starts without torch:
there the networks are imported once a model is one of them (`semeqv.text.models.families`).
"""

import importlib
from typing import Any

from semeqv.grammar import plugins

__all__ = ["BackpackConfig", "BackpackLMHeadModel", "BackpackModel"]

if not plugins.loading:
    importlib.import_module("backpack.networks")


def __getattr__(name: str) -> Any:
    """A network by its name."""
    if name not in __all__:
        raise AttributeError(f"module 'backpack' has no attribute {name!r}")
    return getattr(importlib.import_module("backpack.networks"), name)
