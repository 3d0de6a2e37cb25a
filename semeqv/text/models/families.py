"""Which module knows a model that transformers does not know by itself.

Importing that module registers the model with the Auto classes; here it is imported when a folder's `config.json` names
the `model_type`, so that no command waits for models that it does not open. A head that transformers has for no kind of
model, such as that of a parser, is known by how the names of its classes end. A model that calls itself by the
`model_type` of another, and is not that model, is known by a field of its configuration.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from semeqv.grammar.plugins import command

MODULES: dict[str, str] = {}
HEADS: dict[str, str] = {}
FIELDS: dict[str, str] = {}
CONVERTERS: dict[str, str] = {}


def add(model_type: str, module: str) -> None:
    """Say where a kind of model lives; a plugin calls this when it registers.

    Args:
        model_type: The `model_type` of its configuration.
        module: The module that registers it with the Auto classes when it is imported.
    """
    MODULES[model_type] = module


def know(model_type: str | None) -> None:
    """Import the module of a kind of model, if it is one of those that were added."""
    ask_plugins()
    if model_type in MODULES:
        importlib.import_module(MODULES[model_type])


def ask_plugins() -> None:
    """Let the plugins add their models, where this is a library: the command line asks them first."""
    if not MODULES:
        command()


def add_head(ending: str, module: str) -> None:
    """Say where a head lives that any kind of model may have; a plugin calls this when it registers.

    Args:
        ending: How the names of its classes end: `ForDependencyParsing`.
        module: The module whose `head_class` gives the class for a configuration.
    """
    HEADS[ending] = module


def headed(name: str, config: Any) -> Any:
    """The class of a model with one of the heads that were added.

    Args:
        name: Its name, as a configuration has it among its `architectures`.
        config: The configuration.

    Returns:
        The class; None when the name ends as that of no such head.
    """
    module = next((module for ending, module in HEADS.items() if name.endswith(ending)), None)
    return importlib.import_module(module).head_class(config) if module else None


def add_field(field: str, module: str, converter: str) -> None:
    """Say where a kind of model lives that calls itself by another's `model_type`.

    Args:
        field: The field of its configuration that the other has not.
        module: The module whose `field_class` gives a class with `from_pretrained`.
        converter: The command that makes safetensors of pickles of this kind.
    """
    FIELDS[field], CONVERTERS[field] = module, converter


def converter(config: Mapping[str, Any]) -> str | None:
    """The command that converts pickles of a kind of model with one of the fields that were added.

    Args:
        config: The content of its `config.json`.

    Returns:
        Such as `cli ofa convert`; None for other models.
    """
    ask_plugins()
    return next((said for field, said in CONVERTERS.items() if config.get(field) is not None), None)


def marked(config: Any) -> Any:
    """The class of a model whose configuration has one of the fields that were added; None when it has none."""
    module = next((module for field, module in FIELDS.items() if getattr(config, field, None) is not None), None)
    return importlib.import_module(module).field_class(config) if module else None
