"""The words of text: corpora and tokenizers."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Open `dataset` and `tokenizer`."""
    names = ("babel", "europarl", "multiun", "moses", "single", "multilingual", "tokens")
    datasets = (f"semeqv.text.datasets.{name}" for name in names)
    chain.word("dataset", "What is read, one per split and name.", *datasets)
    chain.word("tokenizer", "From text to tokens.", "semeqv.text.tokenizers.trained", "semeqv.text.tokenizers.load")
    chain.modules.append("semeqv.text.tokenizers.save")
