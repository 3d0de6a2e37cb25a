"""WECHSEL: new rows of similar old subwords, found through two monolingual spaces and a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ofa.initialise import EmbeddingOptions, Folders, Transplant, init
from ofa.methods.similar import Similar, Vectors, combine_nearest
from ofa.plan import InitContext, RowSources
from ofa.vectors.word_vectors import WordVectors, as_vectors
from semeqv.grammar.action import action
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.text.files import lines
from semeqv.train.compute import Compute

LEAST = 10  # pairs of words that a rotation is computed from at least


@dataclass(frozen=True, kw_only=True)
class Wechsel(Similar):
    """A new row is a combination of the rows of the nearest old subwords, after one space is rotated into the other.

    Args:
        source_vectors: Word vectors of the language of the old vocabulary.
        target_vectors: Those of the new one, of the same width.
        dictionary: Lines of an old and a new word, with a tab or a blank between.
    """

    name: ClassVar[str] = "wechsel"

    source_vectors: Vectors
    target_vectors: Vectors
    dictionary: Path

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Rotate, then combine the nearest old subwords; see `Method.fill`."""
        old, new = (as_vectors(each, self.most_words) for each in (self.source_vectors, self.target_vectors))
        new, used = rotate(new, old, read_dictionary(Path(self.dictionary)))
        context.facts["dictionary pairs"] = used
        combine_nearest(row_sources, context, old, new, neighbours=self.neighbours, temperature=self.temperature)


@action("ofa init wechsel")
def init_wechsel(
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    folders: Folders,
    method: Wechsel,
    embedding: EmbeddingOptions = EmbeddingOptions(),
) -> Transplant:
    """Make new rows of those of similar old subwords, similar after the words of one language are turned to another's.

    WECHSEL (Minixhofer, Paischer & Rekabsaz, 2022, arXiv 2112.06598): word vectors of the new language are rotated into
    the space of the old one's, so that the two sides of a bilingual dictionary come together (orthogonal Procrustes;
    Schoenemann, 1966). Subwords then have vectors of the words they are a part of, and new ones are combined of their
    nearest old ones as in `cli ofa init ofa`. Tokens that both vocabularies have are copied.

    Args:
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.
        folders: What is opened, and where the new model is written.
        method: Options of the method.
        embedding: What the new embedding is like.

    Returns:
        The new model, and where its rows come from.
    """
    return init(method, folders, embedding, seed, compute)


def read_dictionary(path: Path) -> list[tuple[str, str]]:
    """Read pairs of words.

    Args:
        path: Lines of two words, with a blank between, or of several columns with tabs between, of which the first two
            count; blank lines do not.

    Returns:
        The pairs, in the order of the file.

    Raises:
        UserError: When a line holds no two words, or there is none.
    """
    pairs = []
    for number, line in lines(path):
        words = line.split("\t") if "\t" in line else line.split()
        if not line.strip():
            continue
        if len(words) < 2 or ("\t" not in line and len(words) > 2) or not words[0].strip() or not words[1].strip():
            raise UserError(
                f"{path}, line {number}: there should be a word and its translation, with a tab between where they "
                f"hold blanks, not {line!r:.60}."
            )
        pairs.append((words[0].strip(), words[1].strip()))
    if not pairs:
        raise UserError(f"{path} holds no pairs of words.")
    return pairs


def rotate(new: WordVectors, old: WordVectors, pairs: Sequence[tuple[str, str]]) -> tuple[WordVectors, int]:
    """Rotate vectors so that words of a dictionary come to lie where their translations are.

    The rotation W minimises |N W - O| over orthogonal matrices, N and O being the vectors of the pairs at length 1:
    W = U V^T, where U S V^T = N^T O (Schoenemann, 1966).

    Args:
        new: The vectors to rotate.
        old: Where to.
        pairs: Words of `old` with their translations among those of `new`; small letters stand in where a word is not
            found as it is written.

    Returns:
        The rotated vectors, and how many pairs were found in both.

    Raises:
        UserError: When the spaces differ in width, or too few pairs are found.
    """
    if new.width != old.width:
        raise UserError(f"The word vectors have {old.width} and {new.width} numbers; they must have as many.")
    places = [{word.strip(): row for row, word in reversed(list(enumerate(each.plain())))} for each in (old, new)]
    rows = []
    for pair in pairs:
        places_of_pair = [place.get(word, place.get(word.lower())) for word, place in zip(pair, places)]
        if None not in places_of_pair:
            rows.append(places_of_pair)
    if len(rows) < LEAST:
        raise UserError(
            f"Only {len(rows)} of the {len(pairs):,} pairs of the dictionary have vectors on both sides; is the old "
            "language the first of each line?"
        )
    at = numpy.array(rows)
    left, _, right = numpy.linalg.svd(new.unit()[at[:, 1]].T.astype(float) @ old.unit()[at[:, 0]].astype(float))
    return WordVectors(new.words, (new.matrix @ (left @ right)).astype(numpy.float32)), len(rows)
