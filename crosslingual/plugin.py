"""The words of the study of task and language vectors."""

from semeqv.engine.chain import Chain

ACTIONS = ("vector", "apply", "compare", "merge", "sweep", "report", "distances", "corpus")


def register(chain: Chain) -> None:
    """Open `crosslingual`."""
    modules = (f"crosslingual.actions.{name}" for name in ACTIONS)
    chain.word("crosslingual", "Task and language vectors: what training changes, added to other models.", *modules)
