"""Rows that are all alike."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from semeqv.grammar.component import component

if TYPE_CHECKING:
    from ofa.plan import Draft
    from ofa.work import Work


@component("ofa init mean")
@dataclass(frozen=True, kw_only=True)
class Mean(Method):
    """Let the row of every new token be the mean of the old rows.

    Tokens that both vocabularies have are copied. The new tokens then have the same logit, and none is likelier than an
    average old one (Hewitt, 2021, "Initializing New Word Embeddings for Pretrained Language Models").
    """

    def draft(self, draft: "Draft", work: "Work") -> None:
        """Let the other rows be the mean.

        Args:
            draft: Is given the origins.
            work: Not needed.
        """
        from ofa.plan import Kind

        draft.set(draft.open(), Kind.MEAN)
