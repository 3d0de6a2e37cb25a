"""Pairs of words that are each other's nearest."""

from collections.abc import Sequence

import numpy

from ofa.topk_search import nearest
from ofa.vectors.word_vectors import WordVectors, unit
from semeqv.runs.errors import UserError


def mutual(vectors: WordVectors, languages: Sequence[str], most: int) -> list[tuple[str, str]]:
    """Find the mutual nearest neighbours of two languages.

    Args:
        vectors: Vectors of words that say their language.
        languages: The two languages.
        most: The first so many words of each; 0 for all.

    Returns:
        Pairs of words, without their languages, in the order of the first one's words.

    Raises:
        UserError: When a language has no words.
    """
    rows = []
    for language in languages:
        found = [row for row, word in enumerate(vectors.words) if word.startswith(f"{language}:")][: most or None]
        if not found:
            raise UserError(f"No word of the vectors says that it is {language}: {language}:word.")
        rows.append(numpy.array(found))
    one, other = (unit(vectors.matrix[each]) for each in rows)
    forth, back = (places[:, 0].numpy() for _, places in (nearest(one, other, 1), nearest(other, one, 1)))
    plain = vectors.plain()
    kept = numpy.flatnonzero(back[forth] == numpy.arange(len(forth)))
    return [(plain[rows[0][place]].strip(), plain[rows[1][forth[place]]].strip()) for place in kept.tolist()]
