"""Backpack language models: networks, senses, conversion. A study of semeqv.

    model = AutoModelForCausalLM.from_pretrained(folder)  # `import backpack` lets the Auto classes open Backpacks
    backpack.senses(model, tokenizer, word=["bank"])["bank"]  # what each sense favours
    backpack.attribute(model, tokenizer, prompt=["the bank"])[0].added  # what each sense adds to a logit
    with backpack.edit(model, [Scale(tokens=(2,), senses=(1,), factor=0.0)]): ...  # a model with an edit

Everything is imported when it is first used. The command line starts without torch: there the networks are imported
once a model is one of them (`semeqv.text.models.families`).
"""

import importlib
from typing import TYPE_CHECKING

from semeqv.grammar import plugins
from semeqv.lazy import exports

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
    **dict.fromkeys(("BackpackConfig", "BackpackLMHeadModel", "BackpackModel"), "networks"),
    "attribute": "attribution",
    "coverage": "evaluation.coverage",
    "edit": "edits.edited",
    "senses": "inspection.senses",
    "similarity": "evaluation.similarity",
}
__getattr__ = exports(__name__, MODULES)

if not plugins.loading:
    importlib.import_module("backpack.networks")
