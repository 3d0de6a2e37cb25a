"""Orthogonal matching pursuit: rows from shared tokens, by how a donor model's rows are made of each other."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from semeqv.grammar.component import check_bounds, component

if TYPE_CHECKING:
    from ofa.plan import Draft
    from ofa.work import Work


@component("ofa init omp")
@dataclass(frozen=True, kw_only=True)
class Omp(Method):
    """Make new rows of those of shared tokens, with the weights that make them in another model.

    The donor is a model that has the new vocabulary. Its row of a new token is approximated by few of its rows of
    shared tokens, chosen one by one, with weights by least squares (orthogonal matching pursuit; Pati, Rezaiifar &
    Krishnaprasad, 1993); the same weights then combine the old model's rows of these tokens (Goddard & Fernandes Neto,
    2025, arXiv 2506.06607; tokensurgeon of mergekit). Tokens that both vocabularies have are copied.

    Args:
        donor: A model with the new vocabulary, and its tokenizer: see --from. That of --target_tokenizer if left out.
        tokens: The most tokens that a row is made of.
    """

    donor: str | None = None
    tokens: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, tokens=1)

    def draft(self, draft: "Draft", work: "Work") -> None:
        """Combine shared tokens as the donor's rows are.

        Args:
            draft: Is given the origins.
            work: Both vocabularies.
        """
        from ofa.methods.pursuit import combine_as_donor

        option = "--donor" if self.donor else "--target_tokenizer"
        combine_as_donor(draft, work, self.donor or self.target_tokenizer, self.tokens, option)
