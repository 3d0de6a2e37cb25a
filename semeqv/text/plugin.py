"""The words of text: corpora and tokenizers."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Open `dataset` and `tokenizer`."""
    datasets = ("semeqv.text.datasets.babel", "semeqv.text.datasets.europarl", "semeqv.text.datasets.multiun", "semeqv.text.datasets.moses", "semeqv.text.datasets.single", "semeqv.text.datasets.multilingual", "semeqv.text.datasets.tokens")
    chain.word("dataset", "What is read, one per split and name.", *datasets)
    chain.word("tokenizer", "From text to tokens.", "semeqv.text.tokenizers.trained", "semeqv.text.tokenizers.load")
    chain.modules.append("semeqv.text.tokenizers.save")
