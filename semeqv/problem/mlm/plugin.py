"""The words of the study on text."""

from semeqv.engine.chain import Chain

MODELS = "semeqv.problem.mlm.models"


def register(chain: Chain) -> None:
    """Open `mlm` and its words."""
    actions = ("semeqv.problem.mlm.report", "semeqv.figures.mlm_view")
    chain.word("mlm", "The tied-embedding study on text: words and their doubles.", *actions)
    chain.word("mlm dataset", "The text, one per split and name.", "semeqv.problem.mlm.datasets.corpora")
    chain.word("mlm model", "The network of the study; with `wt` (weight tying) at the end, tied.", MODELS)
    chain.word("mlm callbacks", "What observes the words of the study.", "semeqv.problem.mlm.callbacks")
