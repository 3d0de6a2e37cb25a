"""The words of the study of task and language vectors."""

from semeqv.grammar.chain import Chain

ACTIONS = (
    "crosslingual.arithmetic",
    "crosslingual.compare",
    "crosslingual.strengths",
    "crosslingual.results",
    "crosslingual.distances",
    "crosslingual.corpus",
)
FIGURES = ("crosslingual.figures.sweep", "crosslingual.figures.vectors")


def register(chain: Chain) -> None:
    """Open `crosslingual`, and add its figures."""
    chain.modules += FIGURES
    chain.word("crosslingual", "Task and language vectors: what training changes, added to other models.", *ACTIONS)
