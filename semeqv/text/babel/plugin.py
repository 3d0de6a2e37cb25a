"""The words of the generated corpus."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Open `babel`."""
    modules = ("semeqv.text.babel.write", "semeqv.text.babel.show")
    chain.word("babel", "A generated corpus in two invented languages, of which everything is known.", *modules)
