"""Which words a subword is a part of, and the vector that it has from them (OFA; Liu et al., 2023, section 3).

Each word is tokenised in three variants: as it is, after a space, and with its first letter in upper case, after a
space too unless the word began with a boundary mark. A subword collects the words whose tokens it is among, a word
counting once for each of these variants. The rule is that of the authors' code, except that special tokens collect no
words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ofa.topk_search import Floats
from semeqv.lazy import NDArray, numpy, torch
from semeqv.runs.progress import Progress
from semeqv.text.tokenizers.encoding import literal

WORDS = 2**13  # tokenised at once
TOGETHER = 2**8  # words in one call of the tokenizer, which costs as much as some words do
SPACE_BLIND = ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")  # tokenizers that take spaces away


@dataclass(frozen=True)
class WordMapping:
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
        """Return the words of one subword, each as often as it counts."""
        span = slice(self.starts[subword], self.starts[subword + 1])
        return numpy.repeat(self.words[span], self.counts[span])

    def word_set(self, subword: int) -> NDArray[numpy.int64]:
        """Return the words of one subword, each once, in rising order."""
        return self.words[self.starts[subword] : self.starts[subword + 1]]

    def vectors(self, matrix: Floats, subwords: NDArray[numpy.int64] | None = None) -> Floats:
        """Average the vectors of the words of each subword.

        Args:
            matrix: `(words, width)`.
            subwords: Which, `(subwords,)`; all if left out.

        Returns:
            `(subwords, width)`; zeros for a subword without words.
        """
        starts, words, counts = self.starts, self.words, self.counts
        if subwords is not None:
            degree = self.degree[subwords]
            starts = numpy.concatenate([[0], numpy.cumsum(degree)])
            places = numpy.repeat(self.starts[subwords] - starts[:-1], degree) + numpy.arange(starts[-1])
            words, counts = words[places], counts[places]
        weights = counts.astype(numpy.float32)
        total = torch.nn.functional.embedding_bag(
            torch.from_numpy(words),
            torch.from_numpy(matrix),
            torch.from_numpy(starts[:-1]),
            mode="sum",
            per_sample_weights=torch.from_numpy(weights),
        ).numpy()
        sums = numpy.concatenate([[0], numpy.cumsum(counts)])
        total /= numpy.maximum(sums[starts[1:]] - sums[starts[:-1]], 1).astype(numpy.float32)[:, None]
        means: Floats = total
        return means


def map_subwords(tokenizer: Any, words: Sequence[str], rows: int) -> WordMapping:
    """Find the words of every subword.

    Args:
        tokenizer: A fast tokenizer of transformers.
        words: Words as text has them (`WordVectors.plain`).
        rows: Rows of the embedding; a token beyond them has no words.

    Returns:
        The mapping, of as many subwords as there are rows. Special tokens have no words.
    """
    pieces = list(occurrences(tokenizer, words, rows))
    if not pieces:
        return WordMapping(*(numpy.zeros(size, numpy.int64) for size in (rows + 1, 0, 0)))
    keys, counts = (numpy.concatenate(parts) for parts in zip(*pieces))
    del pieces
    order = numpy.argsort(keys, kind="stable")
    subwords, places = numpy.divmod(keys[order], len(words))
    starts = numpy.searchsorted(subwords, numpy.arange(rows + 1)).astype(numpy.int64)
    return WordMapping(starts, places, counts[order].astype(numpy.int64))


def occurrences(
    tokenizer: Any, words: Sequence[str], rows: int
) -> Iterator[tuple[NDArray[numpy.int64], NDArray[numpy.int8]]]:
    """Yield subwords with the words they occur in, `subword * words + word`, and in how many variants of the word."""
    special = numpy.zeros(rows, bool)
    special[[number for number in tokenizer.all_special_ids if number < rows]] = True
    starts = range(0, len(words), WORDS)
    for start in Progress(starts, desc="map words", unit="chunk", leave=False, disable=None):
        some = words[start : start + WORDS]
        in_variants = []
        for variant, times in variants(tokenizer.backend_tokenizer, some):
            tokens, places = tokenise(literal(tokenizer), variant)
            known = tokens < rows
            known[known] &= ~special[tokens[known]]
            in_variants += [numpy.unique(tokens[known] * len(words) + places[known] + start)] * times
        keys, counts = numpy.unique(numpy.concatenate(in_variants), return_counts=True)
        yield keys, counts.astype(numpy.int8)


def variants(backend: Any, words: Sequence[str]) -> Iterator[tuple[Sequence[str], int]]:
    """Yield words as they are, after a space, and with a capital; and how often each counts.

    Args:
        backend: The `tokenizers.Tokenizer`; to one that takes spaces away the first two are the same.
        words: The words.

    Yields:
        The texts, and 1, or 2 for two variants at once.
    """
    blind = type(backend.pre_tokenizer).__name__ in SPACE_BLIND
    blind &= backend.normalizer is None or type(backend.normalizer).__name__ == "BertNormalizer"
    yield words, 2 if blind else 1
    if not blind:
        yield [f" {word}" for word in words], 1
    yield [capitalised(word) for word in words], 1


def capitalised(word: str) -> str:
    """Write a word with its first letter in upper case and the rest as it is.

    The result begins with a space where the word does not, and the other way round: a space at the start stands for a
    boundary mark, whose word the authors' code capitalises without one.
    """
    begun = word.startswith(" ") and len(word) > 1
    return word[1].upper() + word[2:] if begun else f" {word[:1].upper()}{word[1:]}"


def tokenise(backend: Any, texts: Sequence[str]) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
    """Return the tokens of texts, each by itself, and which text each token is of, `(tokens,)` both."""
    starts = range(0, len(texts), TOGETHER)
    encoded = backend.encode_batch(
        [texts[start : start + TOGETHER] for start in starts], is_pretokenized=True, add_special_tokens=False
    )
    tokens = numpy.concatenate([numpy.array(each.ids, numpy.int64) for each in encoded])
    places = [numpy.array(each.word_ids, numpy.int64) + start for start, each in zip(starts, encoded)]
    return tokens, numpy.concatenate(places)
