"""Makes cross-lingual word vectors of sentences and their translations."""

import itertools
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy
import torch
from numpy.typing import NDArray
from tokenizers import Regex, pre_tokenizers
from torch import Tensor

from ofa.vectors.decontaminate import Apart
from ofa.vectors.word_vectors import WordVectors, unit
from semeqv.runs.errors import UserError
from semeqv.text.tokenizers.encoding import encode
from semeqv.train.bars import Progress

if TYPE_CHECKING:
    from ofa.vectors.make import Vectors

# Letters with their marks; those of scripts that put no spaces between words stand alone. Of the library of tokenizers,
# whose expressions know scripts and marks, and which the tokenizer of `cli ofa bag` finds words by, too.
ALONE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
LETTER = rf"(?:(?![{ALONE}])[\p{{L}}\p{{M}}])"
JOINERS = "-'’\u200c\u200d"
WORD = rf"(?=[{ALONE}])\p{{L}}\p{{M}}*|{LETTER}+(?:[{JOINERS}]{LETTER}+)*"
WORDS = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
SPARE = 16  # dimensions beyond those that are kept, for the randomised decomposition


def words_of(sentence: str) -> list[str]:
    """The words of a sentence, in small letters and NFC: letters with hyphens, apostrophes or joiners between them.

    Letters keep their marks, of which Hindi and its kin write vowels. Of scripts that put no spaces between words
    (Han, Kana, Thai, Lao, Khmer, Burmese), every letter is a word.
    """
    return [word for word, _ in WORDS.pre_tokenize_str(unicodedata.normalize("NFC", sentence).lower())]


def named_words(language: str, sentence: str) -> set[str]:
    """The different words of a sentence, each with its language before it."""
    return {f"{language}:{word}" for word in words_of(sentence)}


def tokens_by(tokenizer: Any) -> Callable[[str, str], set[str]]:
    """What finds the different tokens of a sentence, whatever its language; special ones are none of a text."""

    def found(language: str, sentence: str) -> set[str]:
        (ids,) = encode(tokenizer, [sentence])
        return set(tokenizer.convert_ids_to_tokens(ids))

    return found


def aligned_vectors(
    rows: Iterable[Mapping[str, str]], options: "Vectors", seed: int, tokenizer: Any = None
) -> tuple[WordVectors, dict[str, Any]]:
    """Make vectors of an aligned corpus.

    Args:
        rows: Sentences by language, each with its translations.
        options: How.
        seed: Of the decomposition.
        tokenizer: Whose tokens they are of, if not of words.

    Returns:
        The vectors, at length 1, words by frequency, and what is to be said of them.

    Raises:
        UserError: When there are fewer words or sentences than dimensions.
    """
    apart, found = Apart(options.disjoint_from), tokens_by(tokenizer) if tokenizer is not None else named_words
    ids: dict[str, int] = {}
    words, sentences = array("q"), array("q")
    count = 0
    for row in apart.rows(rows):
        by_language = [found(language, text) for language, text in row.items()]
        if sum(map(bool, by_language)) < (1 if options.monolingual else 2):
            continue  # a sentence without its translation ties no languages
        said = set().union(*by_language)
        words.extend(ids.setdefault(word, len(ids)) for word in sorted(said))
        sentences.extend(itertools.repeat(count, len(said)))
        count += 1
    entries = Entries(numpy.array(words, numpy.int64), numpy.array(sentences, numpy.int64), len(ids), count)
    known = list(ids)
    languages = ["tokens" if tokenizer is not None else word.partition(":")[0] for word in known]
    kept = kept_words(languages, entries, options.least, options.most_common)
    if len(kept) <= options.dimensions or count <= options.dimensions:
        contexts, where = ("sentences", "") if options.monolingual else ("sentence pairs", " in two languages")
        raise UserError(
            f"{len(kept):,} {options.units} in {count:,} {contexts} are too few for vectors of {options.dimensions} "
            f"numbers; say fewer --dimensions, a smaller --least, or more text{where}."
        )
    matrix = decomposed(entries.only(kept), options.dimensions, options.power, seed)
    chosen = [known[number] for number in kept.tolist()]
    counts = Counter(languages[number] for number in kept.tolist())
    facts = {"sentences": count, "apart": apart.said(), "words": dict(sorted(counts.items()))}
    return WordVectors(chosen, unit(matrix.numpy())), facts


@dataclass(frozen=True)
class Entries:
    """Which words stand in which sentences.

    Args:
        words: `(entries,)`, in the order of the sentences.
        sentences: `(entries,)`, rising.
        word_count: How many words there are.
        sentence_count: How many sentences.
    """

    words: NDArray[numpy.int64]
    sentences: NDArray[numpy.int64]
    word_count: int
    sentence_count: int

    def only(self, kept: NDArray[numpy.int64]) -> "Entries":
        """Those of some words, which are numbered anew in their order."""
        number = numpy.full(self.word_count, -1)
        number[kept] = numpy.arange(len(kept))
        new = number[self.words]
        return Entries(new[new >= 0], self.sentences[new >= 0], len(kept), self.sentence_count)


def kept_words(languages: list[str], entries: Entries, least: int, most: int) -> NDArray[numpy.int64]:
    """The words that are frequent enough, the most frequent first, of each language at most so many."""
    frequency = numpy.bincount(entries.words, minlength=len(languages))
    order = numpy.argsort(-frequency, kind="stable")
    order = order[frequency[order] >= least]
    seen = Counter[str]()
    kept = []
    for number in order.tolist():
        seen[languages[number]] += 1
        if not 0 < most < seen[languages[number]]:
            kept.append(number)
    return numpy.array(kept, numpy.int64)


def decomposed(entries: Entries, dimensions: int, power: int, seed: int) -> Tensor:
    """The left singular vectors of the tf-idf matrix of words by sentences, times their singular values.

    A word counts once in a sentence, for log(sentences / sentences with the word); each sentence then has length 1.

    Args:
        entries: The matrix.
        dimensions: How many.
        power: Iterations.
        seed: Of the random start.

    Returns:
        `(words, dimensions)`.
    """
    frequency = numpy.bincount(entries.words, minlength=entries.word_count)
    weight = numpy.log(entries.sentence_count / frequency)[entries.words]
    lengths = numpy.sqrt(numpy.bincount(entries.sentences, weight**2, entries.sentence_count))
    values = (weight / numpy.maximum(lengths, 1e-12)[entries.sentences]).astype(numpy.float32)
    by_word = numpy.argsort(entries.words, kind="stable")
    matrix = Sparse.of(entries.words[by_word], entries.sentences[by_word], values[by_word], entries.word_count)
    across = Sparse.of(entries.sentences, entries.words, values, entries.sentence_count)
    generator = torch.Generator().manual_seed(seed)
    wide = min(dimensions + SPARE, entries.word_count, entries.sentence_count)
    basis = torch.randn(entries.sentence_count, wide, generator=generator)
    basis = torch.linalg.qr(matrix @ basis).Q
    for _ in Progress(range(power), desc="decompose", leave=False, disable=None):
        basis = torch.linalg.qr(matrix @ torch.linalg.qr(across @ basis).Q).Q
    small = across @ basis  # (sentences, wide): the transpose of basis.T @ matrix
    squares, vectors = torch.linalg.eigh((small.T @ small).double())
    squares, vectors = squares.flip(0)[:dimensions].clamp_min(0), vectors.flip(1)[:, :dimensions]
    found = (basis.double() @ vectors * squares.sqrt()).float()
    signed: Tensor = found * found.gather(0, found.abs().argmax(0, keepdim=True)).sign()
    return signed


@dataclass(frozen=True)
class Sparse:
    """A sparse matrix that is multiplied by dense ones.

    Args:
        starts: `(rows,)`, where the entries of each row begin.
        columns: `(entries,)`.
        values: `(entries,)`.
    """

    starts: Tensor
    columns: Tensor
    values: Tensor

    @classmethod
    def of(cls, rows: Any, columns: Any, values: Any, count: int) -> "Sparse":
        """From entries in the order of their rows, of which there are `count`."""
        starts = numpy.searchsorted(rows, numpy.arange(count))
        return cls(torch.from_numpy(starts), torch.from_numpy(columns), torch.from_numpy(values))

    def __matmul__(self, dense: Tensor) -> Tensor:
        """`(rows, width)`."""
        return torch.nn.functional.embedding_bag(
            self.columns, dense.contiguous(), self.starts, mode="sum", per_sample_weights=self.values
        )
