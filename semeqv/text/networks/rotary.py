"""Rotary positions (Su et al., 2024, arXiv 2104.09864): queries and keys are turned by where their tokens stand."""

import torch
from torch import Tensor

BASE = 10000.0  # how much slower the last pair of numbers turns than the first


def rotation(time: int, width: int, device: torch.device) -> Tensor:
    """The angles of each position, equation 15.

    Args:
        time: Tokens.
        width: Of a head, an even number.
        device: Where they are computed.

    Returns:
        Their cosines and their sines, `(2, time, width / 2)`.
    """
    speeds = BASE ** -(torch.arange(0, width, 2, device=device) / width)
    angles = torch.arange(time, device=device)[:, None] * speeds
    return torch.stack([angles.cos(), angles.sin()])


def rotated(vectors: Tensor, angles: Tensor) -> Tensor:
    """Turn queries or keys, so that their products depend on how far tokens are apart, equation 34.

    Args:
        vectors: `(batch, heads, time, width)`; each number of the first half makes a pair with one of the second.
        angles: As of `rotation`.

    Returns:
        Vectors of the same shape.
    """
    one, other = vectors.chunk(2, dim=-1)
    cosine, sine = angles.to(vectors.dtype)
    return torch.cat([one * cosine - other * sine, other * cosine + one * sine], dim=-1)
