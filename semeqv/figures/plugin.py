"""The plots as actions: they read files that runs have written, and are never imported by training."""

from semeqv.engine.chain import Chain

NAMES = (
    "view",
    "view_embeddings",
    "accplot",
    "attachment_view",
    "foundation_view",
    "retrieval_view",
    "sweep_view",
    "vectors_view",
    "viewall",
)


def register(chain: Chain) -> None:
    """Add the plots to the actions."""
    chain.modules += [f"semeqv.figures.{name}" for name in NAMES]
