"""HyperOFA: rows that a hypernetwork has predicted."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from semeqv.grammar.component import component

if TYPE_CHECKING:
    from ofa.plan import Draft
    from ofa.work import Work


@component("ofa init hyperofa")
@dataclass(frozen=True, kw_only=True)
class HyperOfa(Method):
    """Take new rows from a hypernetwork that predicts coordinates from word vectors (HyperOFA, step 4).

    HyperOFA (Özeren, Liu & Schütze, 2025, arXiv 2504.21018): `cli ofa mapping`, then a sentence with `cli ofa dataset
    mapping` and `cli ofa model bilstm` or `setformer` that trains, then `cli ofa predict`, then this. Tokens that both
    vocabularies have are copied, and those of no word are drawn. --keep_dim is that of the mapping.

    Args:
        predictions: Files that `cli ofa predict` has written, one for each embedding; of a model whose head has a
            matrix of its own, rows of the one that is not predicted are the mean.
    """

    predictions: tuple[Path, ...] = ()

    def draft(self, draft: "Draft", work: "Work") -> None:
        """Take the predictions.

        Args:
            draft: Is given the origins.
            work: Both vocabularies.
        """
        from ofa.methods.placing import place_predictions

        place_predictions(draft, work, self.predictions)
