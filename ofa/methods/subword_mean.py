"""Rows from the old tokenizer's pieces."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from semeqv.grammar.component import component

if TYPE_CHECKING:
    from ofa.plan import Draft
    from ofa.work import Work


@component("ofa init subword-mean")
@dataclass(frozen=True, kw_only=True)
class SubwordMean(Method):
    """Let the row of a new token be the mean of the rows of the pieces that the old tokenizer cuts it into.

    Tokens that both vocabularies have are copied. A token without text of its own, such as half a character, and one
    that the old tokenizer does not know, is drawn (see `cli ofa init random`).
    """

    def draft(self, draft: "Draft", work: "Work") -> None:
        """Combine the pieces.

        Args:
            draft: Is given the origins.
            work: Both vocabularies.
        """
        from ofa.methods.pieces import combine_pieces

        combine_pieces(draft, work)
