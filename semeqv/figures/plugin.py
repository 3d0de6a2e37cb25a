"""The plots as actions: they read files that runs have written, and are never imported by training."""

from semeqv.engine.chain import Chain

NAMES = ["semeqv.figures.view", "semeqv.figures.view_embeddings", "semeqv.figures.accplot", "semeqv.figures.attachment_view", "semeqv.figures.foundation_view", "semeqv.figures.retrieval_view", "semeqv.figures.sweep_view", "semeqv.figures.vectors_view", "semeqv.figures.viewall"]


def register(chain: Chain) -> None:
    """Add the plots to the actions."""
    chain.modules += NAMES
