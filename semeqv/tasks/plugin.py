"""The words of tasks."""

from semeqv.grammar.chain import Chain
from semeqv.text.models import families

DATASETS = (
    "semeqv.tasks.classification.words",
    "semeqv.tasks.classification.texts",
    "semeqv.tasks.classification.babel",
    "semeqv.tasks.inflection.dataset",
    "semeqv.tasks.parsing.dataset",
    "semeqv.tasks.question_answering.dataset",
)
MODELS = (
    "semeqv.tasks.classification.models",
    "semeqv.tasks.parsing.models",
    "semeqv.tasks.question_answering.models",
)
CALLBACKS = (
    "semeqv.tasks.classification.predictions",
    "semeqv.tasks.likelihood.perplexity_callback",
    "semeqv.tasks.parsing.attachment",
)
ACTIONS = (
    "semeqv.tasks.classification.majority",
    "semeqv.tasks.inflection.inflect",
    "semeqv.tasks.likelihood.perplexity",
    "semeqv.tasks.likelihood.minimal_pairs",
    "semeqv.tasks.parsing.parse",
    "semeqv.tasks.parsing.figure",
    "semeqv.tasks.retrieval.retrieval",
    "semeqv.tasks.retrieval.maps",
    "semeqv.tasks.retrieval.figure",
)


def register(chain: Chain) -> None:
    """Add data sets, models, callbacks and actions of all tasks, and say where their networks are."""
    chain.word("dataset", "What is read, one per split and name.", *DATASETS)
    chain.word("model", "Language models, from sizes or from a folder.", *MODELS)
    chain.word("callbacks", "What observes a run.", *CALLBACKS)
    chain.modules += ACTIONS
    families.add("semeqv-bilstm", "semeqv.tasks.parsing.bilstm")
    families.add_head("ForDependencyParsing", "semeqv.tasks.parsing.networks")
    families.add_head("ForQuestionAnswering", "semeqv.tasks.question_answering.networks")
