"""The words of the study of vocabularies."""

from semeqv.grammar.chain import Chain
from semeqv.text.models import families

METHODS = (
    "ofa.methods.ofa",
    "ofa.methods.hyperofa",
    "ofa.methods.matrix",
    "ofa.methods.wechsel",
    "ofa.methods.focus",
    "ofa.methods.omp",
    "ofa.methods.baselines",
)
ACTIONS = (
    "ofa.vectors.make",
    "ofa.vectors.token_vectors",
    "ofa.vectors.aligned_text",
    "ofa.vectors.gensim",
    "ofa.vectors.dictionary",
    "ofa.bag.bag",
    "ofa.conversion.convert",
    "ofa.results.report",
    "ofa.subset",
    "ofa.hypernetwork.create",
    "ofa.hypernetwork.predict",
)
FIGURES = ("ofa.figures.retrieval", "ofa.figures.provenance", "ofa.figures.losses")


def register(chain: Chain) -> None:
    """Open `ofa` and its words, and say where factorised models and hypernetworks are."""
    chain.word("ofa", "New vocabularies for pretrained models.", *ACTIONS, *FIGURES)
    chain.word("ofa init", "Give a model a new vocabulary.", *METHODS)
    chain.word("ofa tokenizer", "Vocabularies that grow.", "ofa.extended_tokenizer")
    chain.word("ofa dataset", "What a hypernetwork learns from.", "ofa.hypernetwork.dataset")
    chain.word("ofa model", "Hypernetworks.", "ofa.hypernetwork.models")
    chain.word("ofa optimizers", "How a hypernetwork is optimised.", "ofa.hypernetwork.training")
    chain.word("ofa schedulers", "How the learning rate of a hypernetwork falls.", "ofa.hypernetwork.training")
    families.add_field("num_primitive", "ofa.conversion.published", "cli ofa convert")
    families.add("word-bag", "ofa.bag.networks")
    families.add("factorised", "ofa.factorised")
    families.add("ofa-hypernetwork", "ofa.hypernetwork.networks")
