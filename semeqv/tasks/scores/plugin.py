"""The word of averages."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add `scores` to the actions."""
    chain.modules.append("semeqv.tasks.scores.scores")
