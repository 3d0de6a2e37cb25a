"""Words and their vectors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from semeqv.runs.errors import UserError

Floats = NDArray[numpy.float32]

LANGUAGE = re.compile(r"([a-z]{2,8}(?:[-_][A-Za-z0-9]+)*):(?=.)")  # fr:, eng_Latn:, pt-br:
ENGLISH = ("en", "eng", "eng_Latn")
# `$` as the edge of a word. Prices (`$100`) and currencies (`US$`) have it too, but not before a letter.
EDGE = re.compile(r"\$+[^$].*|.*[^$]\$+")
BEGUN = re.compile(r"\$[^\W\d_].*")
ENCLOSED = re.compile(r"\$[^\W\d_].*\$")


@dataclass(frozen=True)
class WordVectors:
    """A vector for every word.

    A word may say its language and where it begins and ends, `fra:$chien$`, as in ColexNet+ (Liu et al., 2023, arXiv
    2305.12818): `plain` takes both away. Whether words say their language, and whether `$` is such a mark or a dollar
    sign, is decided for the whole file.

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
        """The words as text has them: without the language before them, a `$` that marks boundaries being a space.

        They say their language where at least half of them begin like `fr:`, `eng_Latn:` or `pt-br:`; in other files
        the rare word with a colon is a word. `$` marks boundaries where at least half of the words that have one at an
        edge have it before a letter, `fra:$chien$` or `fra:$chien`; where words do not say their language, it must
        stand at both ends, `$chien$`. In other files it is a dollar sign, as in `US$` and `$100`.
        """
        said = 2 * sum(LANGUAGE.match(word) is not None for word in self.words) >= len(self.words)
        words = [LANGUAGE.sub("", word, count=1) for word in self.words] if said else list(self.words)
        return [marks_as_spaces(word) for word in words] if marks_boundaries(words, said) else words

    def of_languages(self, languages: Sequence[str]) -> "WordVectors":
        """The vectors of the words of some languages.

        Args:
            languages: As the words say them, `eng` in `eng:$dog$`; a word that says none is English, as in ColexNet+.
                All words if there are none.

        Returns:
            The vectors, in their order.

        Raises:
            UserError: When a language has no word.
        """
        if not languages:
            return self
        said = [match[1] if (match := LANGUAGE.match(word)) else None for word in self.words]
        english = {*ENGLISH} & {*languages}
        there = {*said} | (english if None in said else set())
        if missing := [language for language in languages if language not in there]:
            raise UserError(f"No word of the vectors says that it is {missing[0]}: {missing[0]}:word.")
        rows = [row for row, each in enumerate(said) if each in languages or (each is None and english)]
        return WordVectors([self.words[row] for row in rows], self.matrix[rows])

    def unit(self) -> Floats:
        """The vectors at length 1; those of length 0 stay."""
        return unit(self.matrix)


def marks_boundaries(words: Sequence[str], said: bool) -> bool:
    """Whether `$` marks where words begin and end (`WordVectors.plain`), which `said` their languages before or not."""
    edged = [word for word in words if EDGE.fullmatch(word)]
    mark = BEGUN if said else ENCLOSED
    return 0 < len(edged) <= 2 * sum(mark.fullmatch(word) is not None for word in edged)


def marks_as_spaces(word: str) -> str:
    """`$chien$` as ` chien `; a lone `$` stays."""
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
