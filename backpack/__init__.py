"""Backpack language models: networks, senses, conversion. A study of semeqv.

    model = AutoModelForCausalLM.from_pretrained(folder)  # `import backpack` lets the Auto classes open Backpacks
    backpack.senses(model, tokenizer, word=["bank"])["bank"]  # what each sense favours
    backpack.attribute(model, tokenizer, prompt=["the bank"])[0].added  # what each sense adds to a logit
    with backpack.edit(model, [Scale(tokens=(2,), senses=(1,), factor=0.0)]): ...  # a model with an edit

Everything is imported when it is first used. The command line starts without torch: there the networks are imported
once a model is one of them (`semeqv.text.models.families`).
"""

import importlib
from typing import TYPE_CHECKING, Any

from semeqv.grammar import plugins

if TYPE_CHECKING:
    from backpack.attribution import attribute
    from backpack.edits.edited import edit
    from backpack.evaluation.coverage import coverage
    from backpack.evaluation.similarity import similarity
    from backpack.inspection.senses import senses
    from backpack.networks import BackpackConfig, BackpackLMHeadModel, BackpackModel

__all__ = [
    "BackpackConfig",
    "BackpackLMHeadModel",
    "BackpackModel",
    "attribute",
    "coverage",
    "edit",
    "senses",
    "similarity",
]

MODULES = {
    "attribute": "attribution",
    "coverage": "evaluation.coverage",
    "edit": "edits.edited",
    "senses": "inspection.senses",
    "similarity": "evaluation.similarity",
}

if not plugins.loading:
    importlib.import_module("backpack.networks")


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in __all__:
        raise AttributeError(f"module 'backpack' has no attribute {name!r}")
    return getattr(importlib.import_module(f"backpack.{MODULES.get(name, 'networks')}"), name)
