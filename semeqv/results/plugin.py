"""The word of averages."""

from semeqv.grammar.chain import Chain


def register(chain: Chain) -> None:
    """Add `results` and `scores` to the actions."""
    chain.modules += ["semeqv.results.actions", "semeqv.results.scores"]
