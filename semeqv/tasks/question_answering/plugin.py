"""The words of question answering."""

from semeqv.engine.chain import Chain
from semeqv.text.models import families


def register(chain: Chain) -> None:
    """Add data sets in the format of SQuAD, and the models that answer."""
    chain.word("dataset", "What is read, one per split and name.", "semeqv.tasks.question_answering.squad")
    chain.word("model", "Language models, from sizes or from a folder.", "semeqv.tasks.question_answering.models")
    families.add_head("ForQuestionAnswering", "semeqv.tasks.question_answering.networks")
