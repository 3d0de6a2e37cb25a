"""The plots."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add the plots to the actions."""
    for name in (
        "view",
        "view_embeddings",
        "accplot",
        "foundation_view",
        "retrieval_view",
        "vectors_view",
        "attachment_view",
        "sweep_view",
    ):
        chain.modules.append(f"semeqv.figures.{name}")
