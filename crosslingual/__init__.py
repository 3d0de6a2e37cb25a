"""Task and language vectors: what training changes, to be added to other models.

    from crosslingual import Checkpoint

    base, tuned, task = map(Checkpoint.open, ("xlm-roberta-base", "runs/wikipedia-es", "runs/ner-en"))
    (task + 0.5 * (tuned - base)).save("models/ner-es")

A study of semeqv. Importing this is cheap; numpy and torch wait until something is computed.
"""

from typing import TYPE_CHECKING

from semeqv.lazy import exports

if TYPE_CHECKING:
    from crosslingual.algebra import Checkpoint, TaskVector
    from crosslingual.arithmetic import analogy, apply, merge, slerp, ties
    from crosslingual.strengths import sweep

__all__ = ["Checkpoint", "TaskVector", "analogy", "apply", "merge", "slerp", "sweep", "ties"]

MODULES = {
    **dict.fromkeys(("Checkpoint", "TaskVector"), "algebra"),
    **dict.fromkeys(("analogy", "apply", "merge", "slerp", "ties"), "arithmetic"),
    "sweep": "strengths",
}
__getattr__ = exports(__name__, MODULES)
