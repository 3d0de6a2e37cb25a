"""The words of the Backpack study."""

from semeqv.grammar.chain import Chain
from semeqv.text.models import families

LOOKING = [
    "backpack.inspection.senses",
    "backpack.attribution",
    "backpack.edits.effects",
    "backpack.edits.crows_pairs",
    "backpack.edits.bias",
    "backpack.edits.topics",
]
FIGURES = ["backpack.figures"]
EVALUATION = [
    "backpack.evaluation.coverage",
    "backpack.evaluation.disambiguation",
    "backpack.evaluation.invariance",
    "backpack.evaluation.similarity",
    "backpack.evaluation.cloze",
    "backpack.evaluation.lexicon_induction",
    "backpack.evaluation.continuations",
    "backpack.results",
]


def register(chain: Chain) -> None:
    """Add the model to the models, open `backpack`, and say where the networks are."""
    models = ["backpack.model", "backpack.edits.edited"]
    chain.word("model", "Language models, from sizes or from a folder.", *models)
    modules = ["backpack.conversion.convert", "backpack.conversion.export"]
    modules += LOOKING + EVALUATION + FIGURES
    chain.word("backpack", "Backpack language models: senses that a person can read and change.", *modules)
    edits = ["backpack.edits.commands", "backpack.edits.debias"]
    chain.word("backpack edit", "Edits of what tokens mean, each a small file.", *edits)
    families.add("backpack", "backpack.networks")
