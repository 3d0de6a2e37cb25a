"""A bilingual dictionary from cross-lingual word vectors, as an action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from ofa.topk_search import nearest
from ofa.vectors.word_vectors import WordVectors, read_vectors, unit
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.text.files import writing


@component("ofa dictionary")
@dataclass(frozen=True, kw_only=True)
class Dictionary:
    """Write down which words of two languages are each other's nearest, in one space of word vectors.

    Mutual nearest neighbours by cosine, as dictionaries are induced from aligned spaces (Conneau et al., 2018, arXiv
    1710.04087). It gives `cli ofa init wechsel` what the same vectors give to `cli ofa init ofa`.

    Args:
        vectors: Word vectors whose words say their language, `fr:chien`; see `cli ofa vectors`.
        languages: The old language, and the new one.
        path: The file: lines of two words, with a tab between.
        most_words: The first so many words of each language; 0 for all.
    """

    vectors: Path
    languages: tuple[str, ...] = ("en", "fr")
    path: Path = Path("dictionary.tsv")
    most_words: int = 20_000

    def __post_init__(self) -> None:
        check_bounds(self, most_words=0)
        if len(set(self.languages)) != 2:
            raise ValueError(f"--languages takes two languages, not {' '.join(self.languages)!r}.")

    def build(self) -> None:
        """Write the file."""

        pairs = mutual(read_vectors(self.vectors), self.languages, self.most_words)
        with writing(self.path) as file:
            file.writelines(f"{old}\t{new}\n" for old, new in pairs)
        click.echo(f"wrote {self.path} ({len(pairs):,} pairs)")


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
