"""The word of the study of foundation models."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add the study to the actions."""
    chain.modules += ["semeqv.problem.foundation.embeddings", "semeqv.problem.foundation.page"]
