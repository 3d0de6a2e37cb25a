"""The words of the parity problem."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Open `xor` and its words."""
    models = ("semeqv.problem.xor.models.transformer", "semeqv.problem.xor.models.lstm", "semeqv.problem.xor.models.mlp")
    chain.word("xor", "The tied-embedding study on masked bits and their parity.", "semeqv.problem.xor.report")
    chain.word("xor dataset", "The data, one per split and name.", "semeqv.problem.xor.datasets.default")
    chain.word("xor model", "The networks; with `wt` (weight tying) at the end, tied.", *models)
