"""Random words to masked symbols."""

import numpy as np
from numpy.typing import NDArray

EVEN, MASK = 4, 6


class Decoder:
    """Writes strings of bits in symbols, adds their parity and masks one bit.

    Args:
        size: How many bits a string has.
        distributions: The probabilities of the two symbols of a zero and of the two of a one.
    """

    def __init__(self, size: int, distributions: tuple[tuple[float, float], tuple[float, float]]):
        self.size = size
        firsts = np.array([round(first * 2**32) for first, _ in distributions])
        # A word below the threshold is the first symbol, any other the second, one above it. A first symbol that is
        # certain has a threshold no word has room for: such a bit always moves up one, from one below.
        certain = firsts == 2**32
        self.thresholds = np.where(certain, 0, firsts).astype(np.uint32)
        self.bases = (np.array([0, 2]) - certain).astype(np.int8)

    def decode(
        self, words: NDArray[np.uint32], strings: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Decode several batches at once.

        Args:
            words: `(steps, (size + 1) * batch)`: one word for each bit, then one for the masked position.
            strings: `(steps, batch)`, or `(1, batch)` when all steps hold the same strings; each is a number.

        Returns:
            The symbols, `(steps, size + 1, batch)`, and those under the masks, `(steps, batch)`.
        """
        steps, batch = len(words), strings.shape[1]
        words = words.reshape(steps, self.size + 1, batch)
        places = np.arange(self.size)[::-1, None]  # the most significant bit is written first, as in the original
        bits = strings[:, None] >> places & 1  # (steps or 1, size, batch)
        symbols = np.empty(words.shape, np.int32)
        second = words[:, :-1] >= self.thresholds[bits]
        np.add(second.view(np.int8), self.bases[bits], out=symbols[:, :-1])
        symbols[:, -1] = EVEN + bits.sum(1) % 2
        positions = (words[:, -1].astype(np.uint64) * np.uint64(self.size) >> np.uint64(32)).astype(np.int64)
        samples = np.arange(steps)[:, None] * symbols[0].size + np.arange(batch)
        masked = samples + positions * batch
        flat = symbols.reshape(-1)
        labels = flat[masked]
        flat[masked] = MASK
        return symbols, labels
