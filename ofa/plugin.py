"""The words of the study of vocabularies."""

from semeqv.engine.chain import Chain
from semeqv.text.models import families

METHODS = ("ofa", "hyperofa", "matrix", "wechsel", "focus", "omp", "subword_mean", "mean", "random")
ACTIONS = (
    "vectors.make",
    "vectors.tokens",
    "vectors.text",
    "vectors.convert",
    "vectors.dictionary",
    "bag.bag",
    "conversion.convert",
    "results.report",
    "subset.subset",
    "hypernetwork.create",
    "hypernetwork.predict",
)
FIGURES = ("vocabulary_view", "provenance_view", "losses_view")


def register(chain: Chain) -> None:
    """Open `ofa` and its words, and say where factorised models and hypernetworks are."""
    modules = [f"ofa.{name}" for name in ACTIONS] + [f"semeqv.figures.{name}" for name in FIGURES]
    chain.word("ofa", "New vocabularies for pretrained models.", *modules)
    chain.word("ofa init", "Give a model a new vocabulary.", *(f"ofa.methods.{name}" for name in METHODS))
    chain.word("ofa tokenizer", "Vocabularies that grow.", "ofa.tokenizers.extended")
    chain.word("ofa dataset", "What a hypernetwork learns from.", "ofa.hypernetwork.dataset")
    chain.word("ofa model", "Hypernetworks.", "ofa.hypernetwork.models")
    chain.word("ofa optimizers", "How a hypernetwork is optimised.", "ofa.hypernetwork.optimizers")
    chain.word("ofa schedulers", "How the learning rate of a hypernetwork falls.", "ofa.hypernetwork.schedules")
    families.add_field("num_primitive", "ofa.conversion.published", "cli ofa convert")
    families.add("word-bag", "ofa.bag.networks")
    families.add("factorised", "ofa.factorised")
    families.add("ofa-hypernetwork", "ofa.hypernetwork.networks")
