"""The word of averages."""

from semeqv.grammar.chain import Chain


def register(chain: Chain) -> None:
    """Add `scores` to the actions."""
    chain.modules.append("semeqv.results.scores")
