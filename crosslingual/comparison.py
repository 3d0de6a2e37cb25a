"""Cosines and lengths of vectors as lines, and as a table."""

from collections.abc import Sequence
from typing import Any

from crosslingual.similarity import Products
from semeqv.results.tables import print_table

WHOLE = "all"


def lines_of(products: Products, labels: Sequence[str]) -> list[dict[str, Any]]:
    """What was measured, a line for each pair in the whole and in each layer; a vector and itself are a pair, too.

    Args:
        products: Of the vectors.
        labels: What they are called.

    Returns:
        Objects with `layer`, `first`, `second`, `cosine`, `first_norm` and `second_norm`.
    """
    found = []
    for layer in (None, *products.products):
        for i, first in enumerate(labels):
            for j in range(i, len(labels)):
                found.append(
                    {
                        "measure": "cosine of vectors",
                        "layer": layer or WHOLE,
                        "first": first,
                        "second": labels[j],
                        "cosine": products.cosine(i, j, layer),
                        "first_norm": products.norm(i, layer),
                        "second_norm": products.norm(j, layer),
                    }
                )
    return found


def print_cosines(lines: Sequence[dict[str, Any]], labels: Sequence[str], layers: bool) -> None:
    """Print the matrix of the whole, and of each layer if asked.

    Args:
        lines: From `lines_of`.
        labels: What the vectors are called.
        layers: Whether layers are printed.
    """
    for layer in dict.fromkeys(line["layer"] for line in lines) if layers else (WHOLE,):
        pairs = {(line["first"], line["second"]): line for line in lines if line["layer"] == layer}
        rows = []
        for first in labels:
            row = [pairs[(first, other) if (first, other) in pairs else (other, first)] for other in labels]
            rows.append([first, *(f"{each['cosine']:.3f}" for each in row), f"{pairs[first, first]['first_norm']:.4g}"])
        title = "Cosines of vectors" + ("" if layer == WHOLE else f", {layer}")
        print_table(title, ("", *labels, "length"), rows)
