"""Rows that OFA's or HyperOFA's own code has made."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from semeqv.grammar.component import component

if TYPE_CHECKING:
    from ofa.plan import Draft, Work


@component("ofa init matrix")
@dataclass(frozen=True, kw_only=True)
class Matrix(Method):
    """Take all rows from `target_matrix.npy`, which the code of OFA's and HyperOFA's authors writes.

    A matrix as wide as the model is its new embedding. A narrower one holds coordinates, of the primitives in
    `primitive_embeddings.npy`; say its width by --keep_dim. The head keeps the bias of a token that both vocabularies
    have; new ones have the mean.

    Args:
        matrix: The file, or the folder that holds it; a row for each token of --target_tokenizer.
        primitives: The primitives of coordinates; `primitive_embeddings.npy` beside the matrix if left out.
    """

    matrix: Path
    primitives: Path | None = None

    def draft(self, draft: "Draft", work: "Work") -> None:
        """Take the rows.

        Args:
            draft: Is given the rows.
            work: The model and the new vocabulary.
        """
        from ofa.conversion.matrices import take_matrix

        take_matrix(draft, work, self.matrix, self.primitives)
