"""An embedding as coordinates times primitives (OFA; Liu et al., 2023, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

from semeqv.lazy import torch

ROWS = 2**11  # taken to float64 at once


@dataclass(frozen=True)
class Factors:
    """`embedding = coordinates @ primitives`, as near as that width allows.

    Args:
        coordinates: `(tokens, kept)`, orthonormal columns: U of the singular value decomposition.
        primitives: `(kept, width)`: the singular values times V.
        kept_share: The share of the sum of squared singular values that is kept.
    """

    coordinates: torch.Tensor
    primitives: torch.Tensor
    kept_share: float

    def dense(self) -> torch.Tensor:
        """`(tokens, width)`."""
        return self.coordinates @ self.primitives


def factorise(embedding: torch.Tensor, kept: int) -> Factors:
    """Compute the best factors of a width (Eckart & Young, 1936).

    They are those of the singular value decomposition, from the eigenvectors of the matrix times itself, which is
    `(width, width)` and summed up in float64; the decomposition of all tokens would cost as much for each of them.

    Args:
        embedding: `(tokens, width)`.
        kept: Numbers of a coordinate, at most the width.

    Returns:
        The factors. The sign of each column is that which makes its largest primitive positive.
    """
    gram = torch.zeros(embedding.shape[1], embedding.shape[1], dtype=torch.float64)
    for rows in torch.split(embedding, ROWS):
        wide = rows.double()
        gram += wide.T @ wide
    squares, vectors = torch.linalg.eigh(gram)  # rising
    squares, vectors = squares.clamp_min(0).flip(0), vectors.flip(1)
    chosen, singular = vectors[:, :kept], squares[:kept].sqrt()
    places = chosen.abs().argmax(0)
    chosen = chosen * chosen[places, torch.arange(kept)].sign()
    safe = singular.clamp_min(torch.finfo(torch.float32).tiny)
    coordinates = torch.empty(len(embedding), kept)
    for rows, made in zip(torch.split(embedding, ROWS), torch.split(coordinates, ROWS)):
        made.copy_(rows.double() @ (chosen / safe))
    return Factors(coordinates, (singular[:, None] * chosen.T).float(), float(squares[:kept].sum() / squares.sum()))
