"""Lengths of vectors and the angles between them, of the whole and of each layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crosslingual.body import refuse_mismatch
from crosslingual.safetensors_reader import chunks
from semeqv.lazy import numpy

if TYPE_CHECKING:
    from crosslingual.algebra import TaskVector

PIECE = 2**21  # numbers in fp64 that are there at once


@dataclass(frozen=True)
class Products:
    """The scalar products of vectors.

    Args:
        products: By layer, `(vectors, vectors)` in fp64.
    """

    products: dict[str, Any]

    def of(self, layer: str | None) -> Any:
        """Those of a layer, `(vectors, vectors)`; of the whole if None."""
        return sum(self.products.values()) if layer is None else self.products[layer]

    def norm(self, vector: int, layer: str | None = None) -> float:
        """The Euclidean length of a vector."""
        return math.sqrt(self.of(layer)[vector, vector])

    def cosine(self, first: int, second: int, layer: str | None = None) -> float:
        """The cosine of the angle between two; NaN when one is zero."""
        norms = self.norm(first, layer) * self.norm(second, layer)
        return float(self.of(layer)[first, second]) / norms if norms else math.nan


def measured(vectors: Sequence[TaskVector]) -> Products:
    """Multiply vectors with each other, in one reading, summing up in fp64.

    Args:
        vectors: Of one kind of model; `UserError` when they are not.

    Returns:
        The products of all pairs, by layer.
    """

    body = vectors[0].body
    for each in vectors[1:]:
        refuse_mismatch(body, each.body, (vectors[0].formula, each.formula))
    found = {}
    step = max(1, PIECE // len(vectors))
    for layer, names in body.layers.items():
        total = numpy.zeros((len(vectors), len(vectors)))
        for name in names:
            covering = [place for place, each in enumerate(vectors) if each.expression.covers(name)]
            for place, count in chunks(body.sizes[name]) if covering else ():
                rows = [vectors[each].expression.chunk(name, place, count) for each in covering]
                for first in range(0, count, step):
                    matrix = numpy.stack([row[first : first + step] for row in rows]).astype(numpy.float64)
                    total[numpy.ix_(covering, covering)] += matrix @ matrix.T
        found[layer] = total
    return Products(found)
