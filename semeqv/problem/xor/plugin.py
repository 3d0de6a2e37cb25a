"""The words of the parity problem."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Open `xor` and its words."""
    models = (f"semeqv.problem.xor.models.{name}" for name in ("transformer", "lstm", "mlp"))
    chain.word("xor", "The tied-embedding study on masked bits and their parity.")
    chain.word("xor dataset", "The data, one per split and name.", "semeqv.problem.xor.datasets.default")
    chain.word("xor model", "The networks; with `wt` (weight tying) at the end, tied.", *models)
