"""The words that the tied-embedding problems share."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add the observers of embeddings."""
    chain.word("callbacks", "What observes a run.", "semeqv.problem.callbacks.embeddings")
