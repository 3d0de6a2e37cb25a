"""New vocabularies for pretrained models: OFA, HyperOFA and the methods beside them. A study of semeqv.

    from ofa import transplant

    new = transplant("xlm-roberta-base", None, "camembert-base", "ofa", vectors="vectors.vec")
    new.counts, new.save("models/french")

`import ofa` lets the Auto classes of transformers open factorised models and bags of words. The command line starts
without torch: there they are known once a model is one of them (`semeqv.text.models.families`).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from semeqv.grammar import plugins
from semeqv.lazy import exports

if TYPE_CHECKING:
    from ofa.bag.networks import BagModel
    from ofa.factorised import FactorisedForCausalLM, FactorisedForMaskedLM, FactorisedModel
    from ofa.initialise import EmbeddingOptions, Transplant
    from ofa.methods import METHODS, transplant

__all__ = [
    "METHODS",
    "BagModel",
    "EmbeddingOptions",
    "FactorisedForCausalLM",
    "FactorisedForMaskedLM",
    "FactorisedModel",
    "Transplant",
    "transplant",
]

MODULES = {
    **dict.fromkeys(("FactorisedForCausalLM", "FactorisedForMaskedLM", "FactorisedModel"), "factorised"),
    **dict.fromkeys(("EmbeddingOptions", "Transplant"), "initialise"),
    **dict.fromkeys(("METHODS", "transplant"), "methods"),
    "BagModel": "bag.networks",
}
__getattr__ = exports(__name__, MODULES)

if not plugins.loading:
    import_module("ofa.factorised")
    import_module("ofa.bag.networks")
