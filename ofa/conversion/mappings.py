"""Which words subwords have, as the code of HyperOFA's authors writes it down."""

from pathlib import Path
from typing import Any

import numpy

from ofa.conversion.weights import first_line
from ofa.mapping import Mapping
from ofa.vectors.pickled import Unpickler
from semeqv.runs.errors import UserError

NAME = "{}_subword_to_word_mapping.pkl"


def unpickled(path: Path) -> Any:
    """What a pickle of plain values and arrays holds; `UserError` when it cannot be opened so."""
    try:
        with path.open("rb") as file:
            return Unpickler(file).load()
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file.") from None
    except Exception as error:  # a damaged pickle fails in any way
        raise UserError(f"{path} cannot be opened by the unpickler that runs no code: {first_line(error)}") from error


def read_mapping(folder: Path, side: str, rows: int, words: int) -> Mapping:
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
    found = unpickled(path)
    if not isinstance(found, dict) or not all(isinstance(each, list) for each in found.values()):
        raise UserError(f"{path} holds no lists of words by subword.")
    try:
        subwords = numpy.repeat([*map(int, found)], [len(each) for each in found.values()]).astype(numpy.int64)
        places = numpy.array([int(place) for each in found.values() for place in each], numpy.int64)
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
    return Mapping(starts, places, numpy.ones(len(places), numpy.int64))
