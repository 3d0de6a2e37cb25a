"""The words of classification."""

from semeqv.engine.chain import Chain


def register(chain: Chain) -> None:
    """Add the labelled data sets, the classifiers, the callback that writes predictions down, and `majority-labels`."""
    datasets = ("semeqv.tasks.classification.words", "semeqv.tasks.classification.texts", "semeqv.tasks.classification.babel")
    chain.word("dataset", "What is read, one per split and name.", *datasets)
    chain.word("model", "Language models, from sizes or from a folder.", "semeqv.tasks.classification.models")
    chain.word("callbacks", "What observes a run.", "semeqv.tasks.classification.predictions")
    chain.modules.append("semeqv.tasks.classification.majority")
