"""The arrays that the code of OFA's and HyperOFA's authors writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ofa.mapping import WordMapping
from ofa.vectors.gensim import Unpickler
from semeqv.lazy import numpy, safetensors, torch
from semeqv.runs.errors import UserError
from semeqv.text.models.source import PICKLES, WEIGHTS

WRAPPERS = ("_orig_mod.", "module.", "model.")  # of torch.compile, DistributedDataParallel and Lightning


def read_weights(path: Path, allow_pickle: bool) -> dict[str, torch.Tensor]:
    """Read tensors by name, without the prefixes that wrappers give to all of them.

    Args:
        path: A file, or a folder with `model.safetensors` or one pickle.
        allow_pickle: Whether to open a pickle: by torch's restricted unpickler, which makes tensors and plain values.

    Returns:
        The tensors.

    Raises:
        UserError: When there are none, the file is damaged, or it is a pickle and pickles are not allowed.
    """
    file = weights_file(path) if path.is_dir() else path
    try:
        if file.suffix == ".safetensors":
            return unwrapped(safetensors.torch.load_file(file))
        if not allow_pickle:
            raise UserError(f"{file} is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code.")
        content = torch.load(file, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file.") from None
    except safetensors.SafetensorError as error:
        raise UserError(f"{file} cannot be read as safetensors: {first_line(error)}") from error
    except Exception as error:  # a damaged pickle fails in any way
        raise UserError(f"{file} cannot be opened by the unpickler that runs no code: {first_line(error)}") from error
    inner = content.get("state_dict", content) if isinstance(content, Mapping) else {}
    weights = {str(name): each for name, each in inner.items() if isinstance(each, torch.Tensor)}
    if not weights:
        raise UserError(f"{file} holds no tensors by name.")
    return unwrapped(weights)


def weights_file(folder: Path) -> Path:
    """Find the file of weights of a folder: its safetensors, else its only pickle; `UserError` when there is none."""
    if (folder / WEIGHTS[0]).is_file():
        return folder / WEIGHTS[0]
    pickles = sorted({path for pattern in PICKLES for path in folder.glob(pattern) if path.name != "training_args.bin"})
    if len(pickles) != 1:
        names = ", ".join(path.name for path in pickles) or "none"
        raise UserError(f"{folder} should hold one file of weights, {WEIGHTS[0]} or a pickle; there is {names}.")
    return pickles[0]


def unwrapped(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Take away the prefixes that wrappers give to all names."""
    while prefix := next((each for each in WRAPPERS if weights and all(name.startswith(each) for name in weights)), ""):
        weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return dict(weights)


def first_line(error: Exception) -> str:
    """Return the first line of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


MATRIX, PRIMITIVES = "target_matrix.npy", "primitive_embeddings.npy"


def read_array(path: Path) -> Any:
    """Read an array that numpy saved; `UserError` when it cannot be read, or is no matrix of finite numbers."""
    try:
        array = numpy.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file.") from None
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} cannot be read as an array of numpy: {first_line(error)}") from error
    if not isinstance(array, numpy.ndarray) or array.ndim != 2 or array.dtype.kind != "f":
        raise UserError(f"{path} holds no matrix of numbers.")
    if not numpy.isfinite(array).all():
        raise UserError(f"{path} holds a number that is not finite.")
    return array.astype(numpy.float32)


NAME = "{}_subword_to_word_mapping.pkl"


def unpickled(path: Path) -> Any:
    """Read a pickle of plain values and arrays; `UserError` when it cannot be opened so."""
    try:
        with path.open("rb") as file:
            return Unpickler(file).load()
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file.") from None
    except Exception as error:  # a damaged pickle fails in any way
        raise UserError(f"{path} cannot be opened by the unpickler that runs no code: {first_line(error)}") from error


def read_mapping(folder: Path, side: str, rows: int, words: int) -> WordMapping:
    """Read the words of the subwords of a vocabulary.

    Args:
        folder: HyperOFA's `mapping_data`.
        side: source or target.
        rows: Of the embedding.
        words: How many words have vectors.

    Returns:
        The mapping, in which each word counts once.

    Raises:
        UserError: When the file holds something else, or speaks of subwords or words that there are not.
    """
    path = folder / NAME.format(side)
    lists = unpickled(path)
    if not isinstance(lists, dict) or not all(isinstance(each, list) for each in lists.values()):
        raise UserError(f"{path} holds no lists of words by subword.")
    try:
        subwords = numpy.repeat([*map(int, lists)], [len(each) for each in lists.values()]).astype(numpy.int64)
        places = numpy.array([int(place) for each in lists.values() for place in each], numpy.int64)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"{path} holds something else than numbers of subwords and words.") from None
    for numbers, most, what in ((subwords, rows, "subword"), (places, words, "word")):
        if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < most:
            strange = int(numbers.max()) if int(numbers.min()) >= 0 else int(numbers.min())
            raise UserError(
                f"{path} speaks of {what} {strange:,}; there are {most:,}. Is it of other vectors or tokens?"
            )
    keys = numpy.unique(subwords * words + places)  # in order, each once
    subwords, places = numpy.divmod(keys, max(words, 1))
    starts = numpy.searchsorted(subwords, numpy.arange(rows + 1)).astype(numpy.int64)
    return WordMapping(starts, places, numpy.ones(len(places), numpy.int64))
