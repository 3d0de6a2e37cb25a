"""The words of the generated corpus."""

from semeqv.grammar.chain import Chain


def register(chain: Chain) -> None:
    """Open `babel`, and add the corpus to the data sets."""
    chain.word("dataset", "What is read, one per split and name.", "semeqv.babel.dataset")
    modules = ("semeqv.babel.write", "semeqv.babel.show")
    chain.word("babel", "A generated corpus in two invented languages, of which everything is known.", *modules)
