"""Layers with the samples in the last dimension.

The study's widths are tiny (4 to 32) and its batches are not, so every array here is laid out `(features, ..., batch)`:
arithmetic then runs along the samples, the one long contiguous dimension, which the compiler vectorises and fuses.
Parameters stay in torch's own modules, so names, initialisation and checkpoints are the standard ones.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}

WIDE = 128
"""From this many weights on, a matrix is multiplied by matmul; below, broadcast and sum fuses with its neighbours."""


def one_hot(input_ids: Tensor, vocabulary_size: int) -> Tensor:
    """Spread symbols into indicators.

    Args:
        input_ids: `(batch, time)` integers.
        vocabulary_size: How many symbols there are.

    Returns:
        `(vocabulary, time, batch)`, 1 where the symbol stands and 0 elsewhere.
    """
    symbols = torch.arange(vocabulary_size, dtype=input_ids.dtype, device=input_ids.device)
    return (symbols[:, None, None] == input_ids.T).float()


def embed(embedding: nn.Embedding, indicators: Tensor) -> Tensor:
    """Look symbols up by a product with their indicators: its gradient is a product too, not a scatter.

    Args:
        embedding: The `(vocabulary, embedding)` matrix.
        indicators: `(vocabulary, time, batch)`, from `one_hot`.

    Returns:
        `(embedding, time, batch)`.
    """
    return multiply(embedding.weight.T, indicators)


def multiply(matrix: Tensor, features: Tensor) -> Tensor:
    """Multiply `(out, in)` by `(in, ..., batch)` to `(out, ..., batch)`, by matmul."""
    product: Tensor = (matrix @ features.flatten(1)).unflatten(1, features.shape[1:])
    return product


def linear(weight: Tensor, bias: Tensor | None, features: Tensor) -> Tensor:
    """Apply a linear map to the first dimension.

    Args:
        weight: `(out, in)`.
        bias: `(out,)`, or None.
        features: `(in, ..., batch)`.

    Returns:
        `(out, ..., batch)`.
    """
    tiny = weight.numel() < WIDE
    product = (_over(weight, features) * features).sum(1) if tiny else multiply(weight, features)
    return product if bias is None else product + _over(bias, features)


def layer_norm(norm: nn.LayerNorm, features: Tensor) -> Tensor:
    """Normalise the first dimension of `(features, ..., batch)`."""
    centred = features - features.mean(0, keepdim=True)
    variance = centred.square().mean(0, keepdim=True)
    normal = centred * torch.rsqrt(variance + norm.eps)
    return normal * _over(norm.weight, features) + _over(norm.bias, features)


def select(features: Tensor, position: Tensor) -> Tensor:
    """Keep one position of each sample.

    Args:
        features: `(features, time, batch)`.
        position: `(time, batch)`, 1 at the position to keep and 0 elsewhere.

    Returns:
        `(features, batch)`.
    """
    return (features * position).sum(-2)


def activation_named(name: str) -> Callable[[Tensor], Tensor]:
    """Find an activation by its name.

    Args:
        name: `relu`, `gelu` (exact, by the error function), `tanh` or `sigmoid`.

    Returns:
        The function, element by element.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"activation {name!r} is unknown: choose one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def _over(parameter: Tensor, features: Tensor) -> Tensor:
    """Append dimensions so that the parameter broadcasts over all but the first dimension of the features."""
    return parameter.reshape(*parameter.shape, *[1] * (features.dim() - 1))
