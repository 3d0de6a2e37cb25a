"""Vectors of gensim as word2vec text, read by an unpickler that runs no code."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import click

from ofa.topk_search import Floats
from ofa.vectors.word_vectors import WordVectors, checked, write_vectors
from semeqv.grammar.action import Spelled, Written, action
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.text.files import opened

ARRAYS = {"_reconstruct", "scalar", "_frombuffer"}  # how numpy makes arrays and numbers of bytes
PLAIN = {("builtins", name) for name in ("set", "frozenset", "slice", "object", "bytearray", "int", "float", "list")}
PLAIN |= {("collections", "OrderedDict"), ("collections", "defaultdict"), ("_codecs", "encode")}
PLAIN |= {("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("numpy", "ndarray"), ("numpy", "dtype")}
WORDS, MATRIX = ("index_to_key", "index2word", "index2entity"), ("vectors", "syn0")
NGRAMS = ("vectors_vocab", "vectors_ngrams")  # of fastText, whose own vectors gensim does not save


@dataclass(frozen=True)
class ConvertedVectors(Written):
    """Vectors that were read from a pickle, and written as text.

    Args:
        vectors: The vectors.
        path: The new file.
    """

    vectors: WordVectors
    path: Path

    def show(self) -> None:
        """Print where they are, and how many."""
        click.echo(f"wrote {self.path} ({len(self.vectors):,} words)")


@action("ofa convert-vectors")
def convert_vectors(
    *,
    source: Annotated[Path, Spelled("from")],
    path: Path = Path("vectors.vec"),
    allow_pickle: bool = False,
) -> ConvertedVectors:
    """Write vectors that gensim has saved (`.wv`, `.kv`, `.model`) as word2vec text, which every other action reads.

    KeyedVectors and whole models are read: Word2Vec, Doc2Vec (its words), FastText. Words of fastText have the vectors
    that gensim gives them, with their n-grams; the n-grams themselves, which give vectors to other words, are left out.

    The files are pickles. This opens them with an unpickler that knows numbers, texts, lists, dictionaries and arrays,
    imports and calls nothing else, and runs no code; gensim is not needed. Large arrays that gensim has put beside the
    file (`.vectors.npy`) are read from there.

    Args:
        source: The file.
        path: The new file, word2vec text.
        allow_pickle: Whether to open a pickle at all.

    Returns:
        The vectors.

    Raises:
        UserError: When pickles are not allowed.
    """
    if not allow_pickle:
        raise UserError(f"{source} is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code.")
    vectors = read_pickle(Path(source))
    write_vectors(Path(path), vectors)
    return ConvertedVectors(vectors, Path(path))


class Held:
    """An object of a class that is not imported: it has what was saved of it, and does nothing."""

    def __init__(self, *given: Any, **named: Any):
        """Take whatever a class of gensim would be told."""

    def __setstate__(self, state: Any) -> None:
        """Take what was saved."""
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.__dict__.update({str(key): value for key, value in part.items()})


class Unpickler(pickle.Unpickler):
    """An unpickler that imports nothing but what makes plain values and arrays."""

    def find_class(self, module: str, name: str) -> Any:
        """Give what a pickle may call; of other classes, such as callbacks of a user, what cannot be called."""
        if module.partition(".")[0] == "gensim" or module.startswith("numpy.random"):
            return Held
        array = name in ARRAYS and module in ("numpy.core.multiarray", "numpy._core.multiarray", "numpy._core.numeric")
        if array or (module, name) in PLAIN:
            return super().find_class(module, name)
        return type(name, (Uncalled,), {"name": f"{module}.{name}"})


class Uncalled(Held):
    """An object, or the name of a function, that a pickle may hold but not call."""

    name: str

    def __init__(self, *given: Any, **named: Any):
        raise pickle.UnpicklingError(f"it calls {self.name}")


def read_pickle(path: Path) -> WordVectors:
    """Read the vectors of a file of gensim.

    Args:
        path: KeyedVectors, or a model that has some: Word2Vec, Doc2Vec, FastText.

    Returns:
        The vectors; of fastText those of its words, in which their n-grams are.

    Raises:
        UserError: When it cannot be opened safely, or holds no vectors.
    """
    try:
        with opened(path) as file:
            content = Unpickler(file).load()
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or '').lower()}.") from error
    except Exception as error:  # a damaged pickle fails in any way
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} cannot be opened by the unpickler that runs no code: {reason}.") from error
    inner = getattr(content, "wv", content)
    places = ("wv.", "") if inner is not content else ("",)
    words = next((list(each) for name in WORDS if (each := getattr(inner, name, None))), [])
    matrix = array(inner, MATRIX, path, places)
    if matrix is None and hasattr(inner, "max_n"):
        matrix = with_ngrams(inner, words, path, places)
    ordered = isinstance(matrix, numpy.ndarray) and matrix.ndim == 2 and matrix.dtype.kind == "f"
    if not ordered or not all(isinstance(word, str) for word in words) or len(words) != len(matrix):
        raise UserError(f"{path} holds no word vectors of gensim.")
    return checked(words, matrix.astype(numpy.float32), str(path))


def array(content: Any, names: Sequence[str], path: Path, places: Sequence[str]) -> Any:
    """Find an array of an object, or the one that gensim has put beside its file, for it was large.

    Args:
        content: The object.
        names: What the array may be called.
        path: The file.
        places: What may stand between its name and that of the array.

    Returns:
        The array; None when there is none.

    Raises:
        UserError: When it is damaged.
    """
    for name in names:
        if (inside := getattr(content, name, None)) is not None:
            return inside
    for place in places:
        for name in names:
            file = path.with_name(f"{path.name}.{place}{name}.npy")
            if file.is_file():
                try:
                    return numpy.load(file, allow_pickle=False)
                except (OSError, ValueError) as error:
                    raise UserError(f"{file} is damaged or cut short.") from error
    return None


def with_ngrams(content: Any, words: Sequence[str], path: Path, places: Sequence[str]) -> Any:
    """Average, for each word of fastText, its own vector and those of its n-grams.

    Args:
        content: What gensim saves of them: `vectors_vocab`, `(words, width)`, `vectors_ngrams`, `(buckets, width)`, the
            lengths of n-grams and the number of buckets.
        words: The words.
        path: The file.
        places: Where large arrays may lie; see `array`.

    Returns:
        `(words, width)`; None when something is missing.

    Raises:
        UserError: When n-grams are numbered as gensim did before 3.8, in a way that it no longer knows itself.
    """
    own, ngrams = (array(content, (name,), path, places) for name in NGRAMS)
    if own is None or ngrams is None or len(own) != len(words) or not all(isinstance(word, str) for word in words):
        return None
    if not getattr(content, "compatible_hash", True):
        raise UserError(f"{path} numbers its n-grams as gensim did before 3.8; save it anew by a later gensim.")
    means: Floats = numpy.array(own, numpy.float32)
    for row, word in enumerate(words):
        places_of = buckets(word, content.min_n, content.max_n, content.bucket)
        if places_of:
            means[row] = (means[row] + ngrams[places_of].sum(0)) / (len(places_of) + 1)
    return means


def buckets(word: str, shortest: int, longest: int, count: int) -> list[int]:
    """Find where the vectors of the n-grams of a word are (Bojanowski et al., 2017, arXiv 1607.04606, section 3.2).

    Args:
        word: The word; `<` and `>` are put around it.
        shortest: Characters of an n-gram at least; one edge alone is none.
        longest: Characters at most.
        count: Of buckets; without any there are no n-grams.

    Returns:
        The FNV-1a hash of each n-gram, 32 bits wide, modulo the number of buckets.
    """
    text = f"<{word}>"
    spans = [
        (start, start + size)
        for start in range(len(text))
        for size in range(max(shortest, 1), min(longest, len(text) - start) + 1)
        if size > 1 or 0 < start < len(text) - 1
    ]
    return [fnv1a(text[start:end].encode()) % count for start, end in spans] if count else []


def fnv1a(text: bytes) -> int:
    """Compute the FNV-1a hash of bytes, 32 bits wide, each byte with its sign, as fastText takes it."""
    value = 2166136261
    for byte in text:
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return value
