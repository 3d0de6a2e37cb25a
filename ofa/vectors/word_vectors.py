"""Words and their vectors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from semeqv.engine.errors import UserError

Floats = NDArray[numpy.float32]

LANGUAGE = re.compile(r"([a-z]{2,8}(?:[-_][A-Za-z0-9]+)*):(?=.)")  # fr:, eng_Latn:, pt-br:


@dataclass(frozen=True)
class WordVectors:
    """A vector for every word.

    A word may say its language and where it begins and ends, `fra:$chien$`, as in ColexNet+ (Liu et al., 2023, arXiv
    2305.12818): `plain` takes both away. Whether words say their language is a matter of all of them.

    Args:
        words: The words, each once.
        matrix: `(words, width)`, finite.
    """

    words: Sequence[str]
    matrix: Floats

    def __len__(self) -> int:
        """How many words there are."""
        return len(self.words)

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return int(self.matrix.shape[1])

    def plain(self) -> list[str]:
        """The words as text has them: without the language before them, `$` being a space.

        They say their language where at least half of them begin like `fr:`, `eng_Latn:` or `pt-br:`; in other files
        the rare word with a colon is a word.
        """
        said = 2 * sum(LANGUAGE.match(word) is not None for word in self.words) >= len(self.words)
        return [plain_word(word, said) for word in self.words]

    def unit(self) -> Floats:
        """The vectors at length 1; those of length 0 stay."""
        return unit(self.matrix)


def plain_word(word: str, said: bool) -> str:
    """`fra:$chien$` as ` chien `, where words say their language."""
    if said:
        word = LANGUAGE.sub("", word, count=1)
    return word.replace("$", " ") if len(word) > 1 else word


def unit(matrix: Floats) -> Floats:
    """Rows at length 1; those of length 0 stay."""
    lengths = numpy.sqrt(numpy.einsum("ij,ij->i", matrix, matrix, dtype=numpy.float64))
    found: Floats = matrix / numpy.where(lengths > 0, lengths, 1).astype(numpy.float32)[:, None]
    return found


def checked(words: Sequence[str], matrix: Floats, where: str, first: int = 1) -> WordVectors:
    """Refuse vectors that nothing can be made of.

    Args:
        words: The words.
        matrix: `(words, width)`.
        where: What they come from, for the message.
        first: The number of the row of the first word there.

    Returns:
        The same.

    Raises:
        UserError: When there are none, a number is not finite, or a word comes twice; the row is named.
    """
    if not words or not matrix.shape[1]:
        raise UserError(f"{where} holds no word vectors.")
    finite = numpy.isfinite(matrix).all(1)
    if not finite.all():
        row = int(finite.argmin())
        raise UserError(f"{where}, row {row + first}: the vector of {words[row]!r} holds a number that is not finite.")
    if len(set(words)) < len(words):
        seen: dict[str, int] = {}
        for row, word in enumerate(words):
            if word in seen:
                raise UserError(f"{where}, row {row + first}: {word!r} was there before, in row {seen[word] + first}.")
            seen[word] = row
    return WordVectors(words, matrix)
