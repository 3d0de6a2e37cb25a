"""The words of the Backpack study."""

from semeqv.engine.chain import Chain
from semeqv.text.models import families

LOOKING = ("senses.senses", "attribution", "edits.effects", "edits.crows_pairs", "edits.bias", "edits.topics")
FIGURES = ["semeqv.figures.senses_view", "semeqv.figures.number_view", "semeqv.figures.topics_view"]
EVALUATION = ("coverage", "disambiguation", "invariance", "similarity", "cloze", "lexical", "continuations", "report")


def register(chain: Chain) -> None:
    """Add the model to the models, open `backpack`, and say where the networks are."""
    models = [f"backpack.{name}" for name in ("models.backpack", "edits.edited")]
    chain.word("model", "Language models, from sizes or from a folder.", *models)
    modules = [f"backpack.conversion.{name}" for name in ("convert", "export")]
    modules += [f"backpack.{name}" for name in LOOKING]
    modules += [f"backpack.evaluation.{name}" for name in EVALUATION] + FIGURES
    chain.word("backpack", "Backpack language models: senses that a person can read and change.", *modules)
    edits = [f"backpack.edits.{name}" for name in ("commands", "debias")]
    chain.word("backpack edit", "Edits of what tokens mean, each a small file.", *edits)
    families.add("backpack", "backpack.networks")
