"""The words of what is measured of language models."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add the measures to the actions, and perplexity to the callbacks."""
    chain.word("callbacks", "What observes a run.", "semeqv.tasks.likelihood.perplexity_callback")
    chain.modules += ["semeqv.tasks.likelihood.perplexity", "semeqv.tasks.likelihood.blimp"]
    chain.modules += ["semeqv.tasks.retrieval.retrieval", "semeqv.tasks.retrieval.fit"]
