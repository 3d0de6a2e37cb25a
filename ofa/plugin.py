"""The words of the study of vocabularies."""

from semeqv.engine.chain import Chain
from semeqv.text.models import families

METHODS = ("ofa", "wechsel", "focus", "omp", "subword_mean", "mean", "random")


def register(chain: Chain) -> None:
    """Open `ofa` and `ofa init`, and say where factorised models are."""
    chain.word("ofa", "New vocabularies for pretrained models.", "ofa.vectors.make", "ofa.vectors.tokens")
    chain.word("ofa init", "Give a model a new vocabulary.", *(f"ofa.methods.{name}" for name in METHODS))
    families.add("factorised", "ofa.factorised")
