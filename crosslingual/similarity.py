"""Scalar products of vectors, and from them lengths and angles, of the whole and of each layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crosslingual.body import Body
from crosslingual.expressions import Expression
from crosslingual.safetensors_reader import chunks
from semeqv.lazy import numpy

PIECE = 2**21  # numbers in fp64 that are there at once


@dataclass(frozen=True)
class Products:
    """The scalar products of vectors.

    Args:
        products: By layer, `(vectors, vectors)` in fp64.
    """

    products: dict[str, Any]

    def of(self, layer: str | None) -> Any:
        """Return the products in a layer, `(vectors, vectors)`; in the whole if None."""
        return sum(self.products.values()) if layer is None else self.products[layer]

    def norm(self, vector: int, layer: str | None = None) -> float:
        """Return the Euclidean length of a vector."""
        return math.sqrt(self.of(layer)[vector, vector])

    def cosine(self, first: int, second: int, layer: str | None = None) -> float:
        """Return the cosine of the angle between two vectors; NaN when one is zero."""
        norms = self.norm(first, layer) * self.norm(second, layer)
        return float(self.of(layer)[first, second]) / norms if norms else math.nan


def scalar_products(expressions: Sequence[Expression], body: Body) -> Products:
    """Multiply vectors with each other, in one reading, summing up in fp64.

    Args:
        expressions: How the vectors are computed.
        body: The tensors of all of them.

    Returns:
        The products of all pairs, by layer.
    """
    products = {}
    step = max(1, PIECE // len(expressions))
    for layer, names in body.layers.items():
        total = numpy.zeros((len(expressions), len(expressions)))
        for name in names:
            covering = [place for place, expression in enumerate(expressions) if expression.covers(name)]
            for place, count in chunks(body.sizes[name]) if covering else ():
                rows = [expressions[vector].chunk(name, place, count) for vector in covering]
                for first in range(0, count, step):
                    matrix = numpy.stack([row[first : first + step] for row in rows]).astype(numpy.float64)
                    total[numpy.ix_(covering, covering)] += matrix @ matrix.T
        products[layer] = total
    return Products(products)
