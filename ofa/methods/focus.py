"""FOCUS: rows from similar shared tokens."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from semeqv.grammar.component import component

if TYPE_CHECKING:
    from ofa.plan import Draft
    from ofa.work import Work


@component("ofa init focus")
@dataclass(frozen=True, kw_only=True)
class Focus(Method):
    """Make new rows of those of shared tokens that are similar, similar by vectors of the new tokens themselves.

    FOCUS (Dobler & de Melo, 2023, arXiv 2305.14481): the tokens of the new vocabulary have vectors of their own,
    trained on text of the new language (`cli ofa token-vectors`). A new token becomes the convex combination of all
    tokens that both vocabularies have, weighted by the sparsemax of its cosines to them (Martins & Astudillo, 2016,
    arXiv 1602.02068), which leaves most out. Tokens that both have are copied, and those without a vector are drawn.

    Args:
        vectors: Vectors of the new tokens, as the new tokenizer writes them.
    """

    vectors: Path

    def draft(self, draft: "Draft", work: "Work") -> None:
        """Combine the shared tokens.

        Args:
            draft: Is given the origins.
            work: Both vocabularies.
        """
        from ofa.methods.tokens_alike import combine_shared
        from ofa.vectors.reading import read_vectors

        combine_shared(draft, work, read_vectors(self.vectors))
