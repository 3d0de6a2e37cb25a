"""The words of inflection."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add tables of forms to the data sets, and `inflect` to the actions."""
    chain.word("dataset", "What is read, one per split and name.", "semeqv.tasks.inflection.unimorph")
    chain.modules.append("semeqv.tasks.inflection.inflect")
