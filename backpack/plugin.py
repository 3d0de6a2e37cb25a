"""The words of the Backpack study."""

from semeqv.grammar.chain import Chain
from semeqv.text.models import families

MODELS = ["backpack.model", "backpack.edits.edited"]
CONVERSION = ["backpack.conversion.convert", "backpack.conversion.export"]
INSPECTION = [
    "backpack.inspection.senses",
    "backpack.attribution",
    "backpack.edits.effects",
    "backpack.edits.crows_pairs",
    "backpack.edits.bias",
    "backpack.edits.topics",
]
EVALUATION = [
    "backpack.evaluation.coverage",
    "backpack.evaluation.disambiguation",
    "backpack.evaluation.invariance",
    "backpack.evaluation.similarity",
    "backpack.evaluation.cloze",
    "backpack.evaluation.lexicon_induction",
    "backpack.evaluation.continuations",
]
RESULTS = ["backpack.results", "backpack.figures"]
EDITS = ["backpack.edits.commands", "backpack.edits.debias"]


def register(chain: Chain) -> None:
    """Add the model to the models, open `backpack` and `backpack edit`, and say where the networks are."""
    chain.word("model", "Language models, from sizes or from a folder.", *MODELS)
    modules = CONVERSION + INSPECTION + EVALUATION + RESULTS
    chain.word("backpack", "Backpack language models: senses that a person can read and change.", *modules)
    chain.word("backpack edit", "Edits of what tokens mean, each a small file.", *EDITS)
    families.add("backpack", "backpack.networks")
