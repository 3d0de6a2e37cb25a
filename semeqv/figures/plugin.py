"""The plots."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add the plots to the actions."""
    names = ("view", "view_embeddings", "accplot", "foundation_view", "retrieval_view", "vectors_view", "sweep_view")
    for name in names:
        chain.modules.append(f"semeqv.figures.{name}")
