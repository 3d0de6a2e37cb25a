"""Attachment scores while a parser trains."""

from dataclasses import dataclass
from typing import Any

from semeqv.grammar.component import check_bounds, component


@component("callbacks attachment")
@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Measure LAS, UAS and UPOS on the validation treebanks every so many steps, as a learning curve.

    Lines go to metrics.jsonl, with the CPU seconds of the run so far, those of these measurements not among them.

    Args:
        steps: Steps from one measurement to the next.
    """

    steps: int = 200

    def __post_init__(self) -> None:
        check_bounds(self, steps=1)

    def build(self) -> Any:
        """The callback."""
        from semeqv.tasks.parsing.attachment_logger import AttachmentLogger

        return AttachmentLogger(self.steps)
