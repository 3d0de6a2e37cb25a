"""Rows that are drawn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from semeqv.grammar.component import component

if TYPE_CHECKING:
    from ofa.plan import Draft
    from ofa.work import Work


@component("ofa init random")
@dataclass(frozen=True, kw_only=True)
class Random(Method):
    """Draw the rows of new tokens from a normal distribution, with the mean and the deviation of the old rows.

    Tokens that both vocabularies have are copied. Mean and deviation are those of each number of a row (or coordinate,
    with --keep_dim), as in OFA for the tokens that nothing is known of (Liu et al., 2023, arXiv 2311.08849).
    """

    def draft(self, draft: "Draft", work: "Work") -> None:
        """Leave all rows to be drawn.

        Args:
            draft: Where rows have no origin, they are drawn.
            work: Not needed.
        """
