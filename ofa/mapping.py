"""Which words a subword is a part of, and the vector that it has from them (OFA; Liu et al., 2023, section 3).

Each word is tokenised as it is, after a space, and capitalised; a subword collects the words whose tokens it is among,
a word counting once for each of these variants.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from ofa.vectors.word_vectors import Floats
from ofa.vocabulary import whole_texts

WORDS = 2**15  # tokenised at once


@dataclass(frozen=True)
class Mapping:
    """The words of every subword, subword after subword.

    Args:
        starts: `(subwords + 1,)`, where the words of each begin in `words`.
        words: Rows of the word vectors, in rising order for each subword.
        counts: How often each counts: in how many of its variants the subword is.
    """

    starts: NDArray[numpy.int64]
    words: NDArray[numpy.int64]
    counts: NDArray[numpy.int64]

    @property
    def degree(self) -> NDArray[numpy.int64]:
        """`(subwords,)`, how many words each has."""
        return numpy.diff(self.starts)

    def words_of(self, subword: int) -> NDArray[numpy.int64]:
        """The words of one subword, each as often as it counts."""
        span = slice(self.starts[subword], self.starts[subword + 1])
        return numpy.repeat(self.words[span], self.counts[span])

    def vectors(self, matrix: Floats) -> Floats:
        """The mean of the vectors of the words of each subword.

        Args:
            matrix: `(words, width)`.

        Returns:
            `(subwords, width)`; zeros for a subword without words.
        """
        total = torch.nn.functional.embedding_bag(
            torch.from_numpy(self.words),
            torch.from_numpy(matrix),
            torch.from_numpy(self.starts[:-1]),
            mode="sum",
            per_sample_weights=torch.from_numpy(self.counts.astype(numpy.float32)),
        ).numpy()
        sums = numpy.concatenate([[0], numpy.cumsum(self.counts)])
        weights = (sums[self.starts[1:]] - sums[self.starts[:-1]]).astype(numpy.float32)
        total /= numpy.maximum(weights, 1)[:, None]
        found: Floats = total
        return found


def map_subwords(tokenizer: Any, words: Sequence[str], rows: int) -> Mapping:
    """Find the words of every subword.

    Args:
        tokenizer: A fast tokenizer of transformers.
        words: Words as text has them (`WordVectors.plain`).
        rows: Rows of the embedding; a token beyond them has no words.

    Returns:
        The mapping, of as many subwords as there are rows. Special tokens have no words.
    """
    found = list(occurrences(tokenizer, words, rows))
    keys = numpy.concatenate(found) if found else numpy.zeros(0, numpy.int64)
    keys, counts = numpy.unique(keys, return_counts=True)
    subwords, places = numpy.divmod(keys, max(len(words), 1))
    starts = numpy.searchsorted(subwords, numpy.arange(rows + 1)).astype(numpy.int64)
    return Mapping(starts, places, counts.astype(numpy.int64))


def occurrences(tokenizer: Any, words: Sequence[str], rows: int) -> Iterator[NDArray[numpy.int64]]:
    """Subwords with the words they occur in, as `subword * words + word`, once for each variant of a word."""
    special = numpy.zeros(rows, bool)
    special[[number for number in tokenizer.all_special_ids if number < rows]] = True
    starts = range(0, len(words), WORDS)
    for start in tqdm(starts, desc="map words", unit="chunk", leave=False, disable=None):
        some = words[start : start + WORDS]
        bare = [word.strip() or word for word in some]
        for variant in (some, [f" {word}" for word in bare], [word.capitalize() for word in bare]):
            with whole_texts(tokenizer) as backend:
                encoded = backend.encode_batch_fast(variant, add_special_tokens=False)
            ids = [each.ids for each in encoded]
            lengths = numpy.fromiter(map(len, ids), numpy.int64, len(ids))
            tokens = numpy.fromiter(itertools.chain.from_iterable(ids), numpy.int64, int(lengths.sum()))
            place = numpy.repeat(numpy.arange(start, start + len(some)), lengths)
            kept = tokens < rows
            kept[kept] &= ~special[tokens[kept]]
            yield numpy.unique(tokens[kept] * len(words) + place[kept])
