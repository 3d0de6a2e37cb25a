"""Random generators: seeding them, and carrying their state through a checkpoint."""

from __future__ import annotations

import random
from typing import Any

from semeqv.lazy import numpy, torch


def seed_everything(seed: int, rank: int = 0) -> None:
    """Seed the generators of Python, numpy and torch on every device.

    Args:
        seed: The seed of the run.
        rank: The process, so that each draws its own dropout.
    """
    seed += rank * 1_000_003
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def generator_states() -> dict[str, Any]:
    """The state of every generator: JSON values and byte tensors, nothing that needs unpickling."""
    kind, keys, position, has_gauss, gauss = numpy.random.get_state(legacy=True)
    version, words, gauss_next = random.getstate()
    return {
        "python": [version, list(words), gauss_next],
        "numpy": [str(kind), keys.tolist(), int(position), int(has_gauss), float(gauss)],  # type: ignore[union-attr]
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_generators(states: dict[str, Any]) -> None:
    """Set every generator to a saved state."""
    version, words, gauss_next = states["python"]
    random.setstate((version, tuple(words), gauss_next))
    kind, keys, *rest = states["numpy"]
    numpy.random.set_state((kind, numpy.array(keys, dtype=numpy.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"][: torch.cuda.device_count()])
