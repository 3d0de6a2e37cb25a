"""Which module knows a model that transformers does not know by itself.

Importing that module registers the model with the Auto classes; here it is imported when a folder's `config.json` names
the `model_type`, so that no command waits for models that it does not open.
"""

import importlib

MODULES: dict[str, str] = {}


def add(model_type: str, module: str) -> None:
    """Say where a kind of model lives; a plugin calls this when it registers.

    Args:
        model_type: The `model_type` of its configuration.
        module: The module that registers it with the Auto classes when it is imported.
    """
    MODULES[model_type] = module


def know(model_type: str | None) -> None:
    """Import the module of a kind of model, if it is one of those that were added."""
    if model_type in MODULES:
        importlib.import_module(MODULES[model_type])
