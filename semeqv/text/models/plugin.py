"""The words of language models."""

from semeqv.engine.chain import Chain
from semeqv.text.models import families


def register(chain: Chain) -> None:
    """Open `model` and `generate`, and say where the network of the encoder is."""
    modules = ("semeqv.text.models.gpt2", "semeqv.text.models.bert", "semeqv.text.models.encoder", "semeqv.text.models.load")
    chain.word("model", "Language models, from sizes or from a folder.", *modules)
    chain.modules.append("semeqv.text.generate")
    families.add("semeqv-encoder", "semeqv.text.networks.encoder")
