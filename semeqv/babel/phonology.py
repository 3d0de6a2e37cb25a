"""How the words of the invented languages sound."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Phonology:
    """Syllables of an onset, a vowel and perhaps a coda.

    Args:
        onsets: What a syllable begins with.
        vowels: What follows.
        codas: What the last syllable of a word may end in.
        syllables: How many syllables a content word has: fewest, most.
    """

    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    codas: tuple[str, ...]
    syllables: tuple[int, int]

    def word(self, generator: np.random.Generator, syllables: int | None = None) -> str:
        """Invent a word, of some number of syllables or of as many as a content word has."""
        if syllables is None:
            syllables = int(generator.integers(self.syllables[0], self.syllables[1] + 1))
        parts = [*(self.onsets, self.vowels) * syllables, self.codas]
        return "".join(part[generator.integers(len(part))] for part in parts)


LUME = Phonology(tuple("lmnvstrpf"), tuple("aeiou"), ("", "", "n", "l"), (2, 3))
DRASK = Phonology(("g", "d", "k", "b", "z", "gr", "dr", "kr"), tuple("aouåø"), ("k", "g", "d", "rk", "sk", "z"), (1, 2))
NAMES = Phonology(tuple("bcdhjkmnrtw"), tuple("aeio"), ("n", "r", "l", "s", "th"), (2, 2))
