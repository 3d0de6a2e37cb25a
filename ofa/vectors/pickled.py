"""Opens the pickles of gensim without running what they say."""

import pickle
from pathlib import Path
from typing import Any

import numpy

from ofa.vectors.word_vectors import WordVectors, checked
from semeqv.engine.errors import UserError

ARRAYS = {"_reconstruct", "scalar", "_frombuffer"}  # how numpy makes arrays and numbers of bytes
PLAIN = {("builtins", name) for name in ("set", "frozenset", "slice", "object", "bytearray")}
PLAIN |= {("collections", "OrderedDict"), ("collections", "defaultdict"), ("_codecs", "encode")}
PLAIN |= {("copyreg", "_reconstructor"), ("numpy", "ndarray"), ("numpy", "dtype")}
WORDS, MATRIX = ("index_to_key", "index2word", "index2entity"), ("vectors", "syn0")


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
        """Give what a pickle may call."""
        if module.partition(".")[0] == "gensim" or module.startswith("numpy.random"):
            return Held
        array = name in ARRAYS and module in ("numpy.core.multiarray", "numpy._core.multiarray", "numpy._core.numeric")
        if array or (module, name) in PLAIN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def read_pickle(path: Path) -> WordVectors:
    """Read the vectors of a file of gensim.

    Args:
        path: KeyedVectors, or a model that has some.

    Returns:
        The vectors.

    Raises:
        UserError: When it cannot be opened safely, or holds no vectors.
    """
    try:
        with path.open("rb") as file:
            found = Unpickler(file).load()
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or '').lower()}.") from error
    except Exception as error:  # a damaged pickle fails in any way
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} cannot be opened by the unpickler that runs no code: {said}.") from error
    inner = getattr(found, "wv", found)
    words = next((list(each) for name in WORDS if (each := getattr(inner, name, None))), [])
    matrix = next((each for name in MATRIX if (each := getattr(inner, name, None)) is not None), None)
    if matrix is None:
        matrix = beside(path, ("wv.", "") if inner is not found else ("",))
    ordered = isinstance(matrix, numpy.ndarray) and matrix.ndim == 2 and matrix.dtype.kind == "f"
    if not ordered or not all(isinstance(word, str) for word in words) or len(words) != len(matrix):
        raise UserError(f"{path} holds no word vectors of gensim.")
    return checked(words, matrix.astype(numpy.float32), str(path))


def beside(path: Path, places: tuple[str, ...]) -> Any:
    """The array that gensim has put beside a file, for it was large; None when there is none.

    Args:
        path: The file.
        places: What may stand between its name and that of the array.

    Returns:
        The array.

    Raises:
        UserError: When it is damaged.
    """
    for place in places:
        for name in MATRIX:
            file = path.with_name(f"{path.name}.{place}{name}.npy")
            if file.is_file():
                try:
                    return numpy.load(file, allow_pickle=False)
                except (OSError, ValueError) as error:
                    raise UserError(f"{file} is damaged or cut short.") from error
    return None
