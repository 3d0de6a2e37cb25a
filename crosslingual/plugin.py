"""The words of the study of task and language vectors."""

from semeqv.engine.chain import Chain

ACTIONS = ("crosslingual.actions.vector", "crosslingual.actions.apply", "crosslingual.actions.compare", "crosslingual.actions.merge", "crosslingual.actions.sweep", "crosslingual.actions.report", "crosslingual.actions.distances", "crosslingual.actions.corpus")


def register(chain: Chain) -> None:
    """Open `crosslingual`."""
    chain.word("crosslingual", "Task and language vectors: what training changes, added to other models.", *ACTIONS)
