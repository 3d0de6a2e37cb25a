"""The words of text: corpora, tokenizers and language models."""

from semeqv.grammar.chain import Chain
from semeqv.text.models import families

DATASETS = ("semeqv.text.datasets.parallel", "semeqv.text.datasets.monolingual", "semeqv.text.datasets.multilingual")
MODELS = ("semeqv.text.models.architectures", "semeqv.text.models.load")


def register(chain: Chain) -> None:
    """Open `dataset`, `tokenizer` and `model`; add `generate`, and say where the network of the encoder is."""
    chain.word("dataset", "What is read, one per split and name.", *DATASETS)
    chain.word("tokenizer", "From text to tokens.", "semeqv.text.tokenizers.trained", "semeqv.text.tokenizers.files")
    chain.word("model", "Language models, from sizes or from a folder.", *MODELS)
    chain.modules += ["semeqv.text.tokenizers.files", "semeqv.text.generation"]
    families.add("semeqv-encoder", "semeqv.text.networks.encoder")
