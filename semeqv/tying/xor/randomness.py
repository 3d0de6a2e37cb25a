"""Random words with an address, so that a stream can be entered anywhere.

Philox is counter-based (Salmon et al., 2011, https://doi.org/10.1145/2063384.2063405): the key comes from the seed and
the purpose, the counter from the row, so a row is the same whichever rows are drawn before it or with it.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# The place of a purpose makes its key: "split", which nothing draws any more, keeps the keys of the others.
PURPOSES = ("split", "order", "stream", "train", "validation", "test")


def random_rows(seed: int, purpose: str, start: int, rows: int, words: int) -> NDArray[np.uint32]:
    """Draw rows of uniform 32-bit words.

    Args:
        seed: Any integer that is not negative.
        purpose: What the words are for, one of `PURPOSES`; different purposes share nothing.
        start: The address of the first row.
        rows: How many rows to draw.
        words: How many words a row has; rows of another width are other rows.

    Returns:
        `(rows, words)`.
    """
    blocks = -(-words // 8)  # the counter counts blocks of eight words
    drawn = np.random.Philox(key=_key(seed, purpose), counter=start * blocks).random_raw(rows * blocks * 4)
    return drawn.view(np.uint32).reshape(rows, -1)[:, :words]


def random_orders(seed: int, purpose: str, start: int, rows: int, size: int) -> NDArray[np.int64]:
    """Draw permutations of `size` things, `(rows, size)`; the other arguments are those of `random_rows`."""
    words = random_rows(seed, purpose, start, rows, 2 * size + size % 2 * 2)
    return np.argsort(np.ascontiguousarray(words).view(np.uint64)[:, :size], axis=1)


@lru_cache
def _key(seed: int, purpose: str) -> NDArray[np.uint64]:
    sequence = np.random.SeedSequence(seed, spawn_key=(PURPOSES.index(purpose),))
    return sequence.generate_state(2, np.uint64).astype(np.uint64, copy=False)
