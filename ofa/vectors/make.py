"""Cross-lingual word vectors from aligned text."""

from __future__ import annotations

import functools
import itertools
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import click

from ofa.vectors.decontaminate import Decontaminator
from ofa.vectors.word_vectors import WordVectors, unit, write_vectors
from semeqv.grammar.action import Written, action
from semeqv.grammar.component import check_bounds
from semeqv.lazy import NDArray, numpy, tokenizers, torch
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.text.datasets.corpus import chosen
from semeqv.text.tokenizers.encoding import encode

# Letters with their marks; those of scripts that put no spaces between words stand alone. Of the library of tokenizers,
# whose expressions know scripts and marks, and which the tokenizer of `cli ofa bag` finds words by, too.
ALONE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
LETTER = rf"(?:(?![{ALONE}])[\p{{L}}\p{{M}}])"
JOINERS = "-'’\u200c\u200d"
WORD = rf"(?=[{ALONE}])\p{{L}}\p{{M}}*|{LETTER}+(?:[{JOINERS}]{LETTER}+)*"
SPARE = 16  # dimensions beyond those that are kept, for the randomised decomposition


@dataclass(frozen=True, kw_only=True)
class Decomposition:
    """What has a vector, and how the matrix is decomposed.

    Args:
        units: What has a vector: words, or the tokens of the sentence's tokenizer, which all languages share;
            `cli ofa bag --tokens_of` makes a model of these, whose embeddings another can start from.
        dimensions: Numbers of a vector.
        least: Sentences that one must stand in.
        most_common: Words of each language (or tokens) that are kept, the most frequent first; 0 for all.
        monolingual: Read sentences without a translation, too, which tie the words of one language alone (latent
            semantic analysis; Deerwester et al., 1990, "Indexing by Latent Semantic Analysis").
        power: Iterations of the singular value decomposition; more are more exact.
    """

    units: Literal["words", "tokens"] = "words"
    dimensions: int = 200
    least: int = 3
    most_common: int = 100_000
    monolingual: bool = False
    power: int = 4

    def __post_init__(self) -> None:
        check_bounds(self, dimensions=2, least=1, most_common=0, power=0)


@dataclass(frozen=True)
class AlignedVectors(Written):
    """Word vectors of all languages of a corpus.

    Args:
        vectors: The vectors, at length 1, words by frequency.
        sentences: Of how many sentences, or pairs of sentences, they were made.
        words: How many words each language has.
        left_out: Which pairs were left out, in words.
        options: What has a vector, and how the matrix was decomposed.
        path: The file; None when they were not written.
    """

    vectors: WordVectors
    sentences: int
    words: Mapping[str, int]
    left_out: str
    options: Decomposition
    path: Path | None = None

    def show(self) -> None:
        """Print what they were made of, and where they are."""
        of = "" if self.options.units == "tokens" else "words of "
        words = ", ".join(f"{count:,} {of}{name}" for name, count in self.words.items())
        contexts = "sentences" if self.options.monolingual else "sentence pairs"
        click.echo(f"{self.sentences:,} {contexts}{self.left_out}; {words}.")
        if self.path is not None:
            click.echo(f"wrote {self.path}")


@action("ofa vectors")
def make_vectors(
    dataset_options: Mapping[tuple[str, str | None], Any],
    seed: int = 42,
    tokenizer: Any = None,
    *,
    path: Path = Path("vectors.vec"),
    options: Decomposition = Decomposition(),
    disjoint_from: tuple[Path, ...] = (),
) -> AlignedVectors:
    """Make word vectors of all languages of an aligned corpus, in one space.

    Words that stand in the same sentence pairs get similar vectors, whatever their language (sentence ids as the
    shared context; Levy, Sogaard & Goldberg, 2017, "A Strong Baseline for Learning Cross-Lingual Word Embeddings from
    Sentence Alignments"): the matrix of words by sentences, weighted by tf-idf, is cut down to its largest singular
    values (Halko, Martinsson & Tropp, 2011, arXiv 0909.4061, algorithm 4.4). A word is written with its language before
    it, `fr:chien`. Of scripts without spaces between words (Han, Kana, Thai, Lao, Khmer, Burmese), every letter is
    a word. The corpus is the training set of the sentence: `cli dataset europarl`, `moses`, `tsv`, ...

    Args:
        dataset_options: The data sets of the sentence, not built; the training set is read.
        seed: Of the random start of the singular value decomposition.
        tokenizer: Of the run, when vectors are of its tokens.
        path: The file of vectors, word2vec text.
        options: What has a vector, and how the matrix is decomposed.
        disjoint_from: Files, folders and archives of test text: a sentence pair of which a side holds a line of it,
            whatever its case and punctuation, is left out; see `cli ofa text`.

    Returns:
        The vectors.

    Raises:
        UserError: When there is no aligned corpus, or too little of it.
    """
    corpus = dataset_options.get(("train", None))
    if corpus is None or not hasattr(corpus, "rows"):
        raise UserError("Word vectors are made of an aligned corpus; add: cli dataset europarl --languages en fr")
    if options.units == "tokens" and tokenizer is None:
        raise UserError("--units tokens are those of a tokenizer; add: cli tokenizer ...")
    tokenizer = tokenizer if options.units == "tokens" else None
    made = aligned_vectors(chosen(corpus), options, seed, tokenizer, disjoint_from)
    write_vectors(Path(path), made.vectors)
    return replace(made, path=Path(path))


@functools.cache
def word_finder() -> tokenizers.pre_tokenizers.Split:
    """Return what finds the words of `words_of`."""
    return tokenizers.pre_tokenizers.Split(tokenizers.Regex(WORD), "removed", invert=True)


def words_of(sentence: str) -> list[str]:
    """Return the words of a sentence, in small letters and NFC: letters with hyphens, apostrophes or joiners between.

    Letters keep their marks, of which Hindi and its kin write vowels. Of scripts that put no spaces between words
    (Han, Kana, Thai, Lao, Khmer, Burmese), every letter is a word.
    """
    return [word for word, _ in word_finder().pre_tokenize_str(unicodedata.normalize("NFC", sentence).lower())]


def named_words(language: str, sentence: str) -> set[str]:
    """Return the different words of a sentence, each with its language before it."""
    return {f"{language}:{word}" for word in words_of(sentence)}


def tokens_by(tokenizer: Any) -> Callable[[str, str], set[str]]:
    """Return what finds the different tokens of a sentence, whatever its language; special ones are none of a text."""

    def named_tokens(language: str, sentence: str) -> set[str]:
        (ids,) = encode(tokenizer, [sentence])
        return set(tokenizer.convert_ids_to_tokens(ids))

    return named_tokens


def aligned_vectors(
    rows: Iterable[Mapping[str, str]],
    options: Decomposition = Decomposition(),
    seed: int = 42,
    tokenizer: Any = None,
    disjoint_from: Sequence[Path] = (),
) -> AlignedVectors:
    """Make vectors of an aligned corpus.

    Args:
        rows: Sentences by language, each with its translations.
        options: What has a vector, and how the matrix is decomposed.
        seed: Of the decomposition.
        tokenizer: Whose tokens they are of, if not of words.
        disjoint_from: Text of tests, whose sentences are left out.

    Returns:
        The vectors.

    Raises:
        UserError: When there are fewer words or sentences than dimensions.
    """
    decontaminator = Decontaminator(disjoint_from)
    units_of = tokens_by(tokenizer) if tokenizer is not None else named_words
    ids: dict[str, int] = {}
    words, sentences = array("q"), array("q")
    count = 0
    for row in decontaminator.rows(rows):
        by_language = [units_of(language, text) for language, text in row.items()]
        if sum(map(bool, by_language)) < (1 if options.monolingual else 2):
            continue  # a sentence without its translation ties no languages
        units = set().union(*by_language)
        words.extend(ids.setdefault(word, len(ids)) for word in sorted(units))
        sentences.extend(itertools.repeat(count, len(units)))
        count += 1
    entries = Entries(numpy.array(words, numpy.int64), numpy.array(sentences, numpy.int64), len(ids), count)
    known = list(ids)
    languages = ["tokens" if tokenizer is not None else word.partition(":")[0] for word in known]
    frequent = frequent_words(languages, entries, options.least, options.most_common)
    if len(frequent) <= options.dimensions or count <= options.dimensions:
        contexts, where = ("sentences", "") if options.monolingual else ("sentence pairs", " in two languages")
        raise UserError(
            f"{len(frequent):,} {options.units} in {count:,} {contexts} are too few for vectors of "
            f"{options.dimensions} numbers; say fewer --dimensions, a smaller --least, or more text{where}."
        )
    matrix = decompose(entries.only(frequent), options.dimensions, options.power, seed)
    counts = Counter(languages[number] for number in frequent.tolist())
    vectors = WordVectors([known[number] for number in frequent.tolist()], unit(matrix.numpy()))
    return AlignedVectors(vectors, count, dict(sorted(counts.items())), decontaminator.in_words(), options)


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

    def only(self, words: NDArray[numpy.int64]) -> Entries:
        """Return those of some words, which are numbered anew in their order."""
        number = numpy.full(self.word_count, -1)
        number[words] = numpy.arange(len(words))
        new = number[self.words]
        return Entries(new[new >= 0], self.sentences[new >= 0], len(words), self.sentence_count)


def frequent_words(languages: list[str], entries: Entries, least: int, most: int) -> NDArray[numpy.int64]:
    """Return the words that are frequent enough, the most frequent first, of each language at most so many."""
    frequency = numpy.bincount(entries.words, minlength=len(languages))
    order = numpy.argsort(-frequency, kind="stable")
    order = order[frequency[order] >= least]
    seen = Counter[str]()
    frequent = []
    for number in order.tolist():
        seen[languages[number]] += 1
        if not 0 < most < seen[languages[number]]:
            frequent.append(number)
    return numpy.array(frequent, numpy.int64)


def decompose(entries: Entries, dimensions: int, power: int, seed: int) -> torch.Tensor:
    """Compute the left singular vectors of the tf-idf matrix of words by sentences, times their singular values.

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
    scaled = (basis.double() @ vectors * squares.sqrt()).float()
    signed: torch.Tensor = scaled * scaled.gather(0, scaled.abs().argmax(0, keepdim=True)).sign()
    return signed


@dataclass(frozen=True)
class Sparse:
    """A sparse matrix that is multiplied by dense ones.

    Args:
        starts: `(rows,)`, where the entries of each row begin.
        columns: `(entries,)`.
        values: `(entries,)`.
    """

    starts: torch.Tensor
    columns: torch.Tensor
    values: torch.Tensor

    @classmethod
    def of(cls, rows: Any, columns: Any, values: Any, count: int) -> Sparse:
        """Make one of entries in the order of their rows, of which there are `count`."""
        starts = numpy.searchsorted(rows, numpy.arange(count))
        return cls(torch.from_numpy(starts), torch.from_numpy(columns), torch.from_numpy(values))

    def __matmul__(self, dense: torch.Tensor) -> torch.Tensor:
        """Multiply by `(columns, width)`; gives `(rows, width)`."""
        return torch.nn.functional.embedding_bag(
            self.columns, dense.contiguous(), self.starts, mode="sum", per_sample_weights=self.values
        )
