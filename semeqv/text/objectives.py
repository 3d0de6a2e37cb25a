"""What a model is asked to predict in rows of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from semeqv.lazy import NDArray, numpy

UNASKED = -100
HIDDEN, KEPT = 0.8, 0.1  # of the tokens asked for; the others are replaced
Rows: TypeAlias = "NDArray[numpy.int64]"
Truth: TypeAlias = "NDArray[numpy.bool_]"


class Objective(Protocol):
    """Makes inputs and labels of rows of tokens.

    Args:
        overlap: Tokens that a row of packed text shares with the next, so that each token is predicted once.
    """

    overlap: int

    def __call__(self, ids: Rows, real: Truth, generator: numpy.random.Generator) -> tuple[Rows, Rows]:
        """Inputs and labels, `(rows, time)` both.

        Args:
            ids: `(rows, time)`, tokens.
            real: `(rows, time)`, where they are text and not padding.
            generator: What is drawn comes from here.

        Returns:
            What the model reads, and what it shall say; -100 where it is not asked.
        """


class Causal:
    """Predict every token from those before it. Labels are not shifted; the first of a row is not asked for.

    Args:
        begin: The token that stands before every document, which is not asked for either: it always follows the one
            that ends a document. None where there is none.
    """

    overlap = 1

    def __init__(self, begin: int | None = None):
        self.begin = begin

    def __call__(self, ids: Rows, real: Truth, generator: numpy.random.Generator) -> tuple[Rows, Rows]:
        """Inputs and labels."""
        labels = numpy.where(real, ids, UNASKED)
        labels[:, 0] = UNASKED
        if self.begin is not None:
            labels[ids == self.begin] = UNASKED
        return ids, labels


class Masked:
    """Predict tokens that are hidden (Devlin et al., 2019, arXiv 1810.04805, section 3.1).

    Of the tokens asked for, 80% are replaced by the mask, 10% by another token, and 10% stay. Special tokens are never
    asked for; every row that has other tokens is asked for one at least.

    Args:
        probability: Share of tokens (of words, when they are hidden in whole) asked for.
        mask: The mask token.
        special: The special tokens.
        vocabulary: How many tokens there are.
        begins: `(vocabulary,)`, whether a token begins a word; whole words are then hidden.
    """

    overlap = 0

    def __init__(
        self, probability: float, mask: int, special: Sequence[int], vocabulary: int, begins: Truth | None = None
    ):
        self.probability, self.mask, self.begins = probability, mask, begins
        self.special = numpy.zeros(vocabulary, bool)
        self.special[list(special)] = True
        self.ordinary = numpy.flatnonzero(~self.special)

    def __call__(self, ids: Rows, real: Truth, generator: numpy.random.Generator) -> tuple[Rows, Rows]:
        """Inputs and labels."""
        may, luck = real & ~self.special[ids], generator.random(ids.shape)
        if self.begins is not None:  # all tokens of a word share its luck
            starts = self.begins[ids] | ~may
            starts[:, 0] = True
            luck = numpy.take_along_axis(luck, numpy.cumsum(starts, 1) - 1, 1)
        luck[~may] = 2.0
        asked = luck < numpy.maximum(self.probability, luck.min(1, keepdims=True) + 1e-12)
        asked &= may
        fate = generator.random(ids.shape)
        other = self.ordinary[generator.integers(len(self.ordinary), size=ids.shape)]
        inputs = numpy.where(asked & (fate < HIDDEN), self.mask, ids)
        inputs = numpy.where(asked & (fate >= HIDDEN + KEPT), other, inputs)
        return inputs, numpy.where(asked, ids, UNASKED)
