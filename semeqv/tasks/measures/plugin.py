"""The words of what is measured of language models."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add the measures to the actions, and perplexity to the callbacks."""
    chain.word("callbacks", "What observes a run.", "semeqv.tasks.likelihood.perplexity_callback")
    chain.modules += [f"semeqv.tasks.likelihood.{name}" for name in ("perplexity", "blimp")]
    chain.modules += [f"semeqv.tasks.retrieval.{name}" for name in ("retrieval", "fit")]
