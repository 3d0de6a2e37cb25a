"""The word of the study of foundation models."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add the study to the actions."""
    chain.modules.append("semeqv.problem.foundation.embeddings")
