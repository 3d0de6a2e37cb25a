"""A bilingual dictionary from cross-lingual word vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from ofa.topk_search import nearest
from ofa.vectors.word_vectors import WordVectors, as_vectors, unit
from semeqv.grammar.action import AtLeast, Written, action
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.text.files import writing

if TYPE_CHECKING:  # from Python, vectors that are open already will do
    Vectors = Path | WordVectors
else:
    Vectors = Path


@dataclass(frozen=True)
class Dictionary(Written):
    """Pairs of words of two languages.

    Args:
        pairs: The words, without their languages.
        path: The file that they were written to.
    """

    pairs: list[tuple[str, str]]
    path: Path

    def show(self) -> None:
        """Print where it is, and how many pairs it has."""
        click.echo(f"wrote {self.path} ({len(self.pairs):,} pairs)")


def refuse_languages(options: Any) -> None:
    """Refuse other than two languages; raises `ValueError`."""
    if len(set(options.languages)) != 2:
        raise ValueError(f"--languages takes two languages, not {' '.join(options.languages)!r}.")


@action("ofa dictionary", check=refuse_languages)
def induce_dictionary(
    *,
    vectors: Vectors,
    languages: tuple[str, ...] = ("en", "fr"),
    path: Path = Path("dictionary.tsv"),
    most_words: Annotated[int, AtLeast(0)] = 20_000,
) -> Dictionary:
    """Write down which words of two languages are each other's nearest, in one space of word vectors.

    Mutual nearest neighbours by cosine, as dictionaries are induced from aligned spaces (Conneau et al., 2018, arXiv
    1710.04087). It gives `cli ofa init wechsel` what the same vectors give to `cli ofa init ofa`.

    Args:
        vectors: Word vectors whose words say their language, `fr:chien`; see `cli ofa vectors`.
        languages: The old language, and the new one.
        path: The file: lines of two words, with a tab between.
        most_words: The first so many words of each language; 0 for all.

    Returns:
        The pairs.
    """
    pairs = mutual(as_vectors(vectors), languages, most_words)
    with writing(Path(path)) as file:
        file.writelines(f"{old}\t{new}\n" for old, new in pairs)
    return Dictionary(pairs, Path(path))


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
        places = [row for row, word in enumerate(vectors.words) if word.startswith(f"{language}:")][: most or None]
        if not places:
            raise UserError(f"No word of the vectors says that it is {language}: {language}:word.")
        rows.append(numpy.array(places))
    one, other = (unit(vectors.matrix[places]) for places in rows)
    forth, back = (places[:, 0].numpy() for _, places in (nearest(one, other, 1), nearest(other, one, 1)))
    plain = vectors.plain()
    agreeing = numpy.flatnonzero(back[forth] == numpy.arange(len(forth)))
    return [(plain[rows[0][place]].strip(), plain[rows[1][forth[place]]].strip()) for place in agreeing.tolist()]
