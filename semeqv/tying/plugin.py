"""The words of the study of tied embeddings."""

from semeqv.grammar.chain import Chain

FOUNDATION = ("semeqv.tying.foundation.study", "semeqv.tying.foundation.page", "semeqv.tying.foundation.figure")
FIGURES = ("semeqv.tying.figures.accuracies", "semeqv.tying.figures.distances", "semeqv.tying.figures.embeddings")
XOR_MODELS = ("semeqv.tying.xor.models",)
MLM = ("semeqv.tying.mlm.report", "semeqv.tying.mlm.figure")


def register(chain: Chain) -> None:
    """Open `xor` and `mlm`; add the observers of embeddings, `foundation-embeddings` and the figures."""
    chain.word("callbacks", "What observes a run.", "semeqv.tying.callbacks.embeddings")
    chain.modules += [*FOUNDATION, *FIGURES]
    chain.word("xor", "The tied-embedding study on masked bits and their parity.", "semeqv.tying.xor.report")
    chain.word("xor dataset", "The data, one per split and name.", "semeqv.tying.xor.dataset")
    chain.word("xor model", "The networks; with `wt` (weight tying) at the end, tied.", *XOR_MODELS)
    chain.word("mlm", "The tied-embedding study on text: words and their doubles.", *MLM)
    chain.word("mlm dataset", "The text, one per split and name.", "semeqv.tying.mlm.datasets")
    chain.word(
        "mlm model", "The network of the study; with `wt` (weight tying) at the end, tied.", "semeqv.tying.mlm.models"
    )
    chain.word("mlm callbacks", "What observes the words of the study.", "semeqv.tying.mlm.callbacks")
