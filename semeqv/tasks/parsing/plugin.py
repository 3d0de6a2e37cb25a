"""The words of dependency parsing."""

from semeqv.engine.chain import Chain
from semeqv.text.models import families


def register(chain: Chain) -> None:
    """Add treebanks, parsers, the callback that follows a parser, and `parse`."""
    chain.word("dataset", "What is read, one per split and name.", "semeqv.tasks.parsing.treebanks")
    chain.word("model", "Language models, from sizes or from a folder.", "semeqv.tasks.parsing.models")
    chain.word("callbacks", "What observes a run.", "semeqv.tasks.parsing.attachment")
    chain.modules.append("semeqv.tasks.parsing.parse")
    families.add("semeqv-bilstm", "semeqv.tasks.parsing.bilstm")
    families.add_head("ForDependencyParsing", "semeqv.tasks.parsing.networks")
