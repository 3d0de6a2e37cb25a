"""Token files: the token numbers of a language's documents, one after the other, and where each document ends."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy
from numpy.typing import NDArray

from semeqv.runs.errors import UserError

FACTS = "facts.json"


def token_type(vocabulary: int) -> Any:
    """The smallest type of numpy that has room for a vocabulary of this size: 16 or 32 bits."""
    return numpy.dtype(numpy.uint16 if vocabulary <= 2**16 else numpy.uint32).newbyteorder("<")


class TokenWriter:
    """Writes the token file of a language, piece by piece.

    Args:
        folder: Where to.
        language: The language.
        vocabulary: The size of the vocabulary.
    """

    def __init__(self, folder: Path, language: str, vocabulary: int):
        self.folder, self.language, self.type = folder, language, token_type(vocabulary)
        self.file: IO[bytes] = open(folder / f"{language}.bin", "wb")  # noqa: SIM115
        self.lengths: list[NDArray[numpy.int64]] = []

    def write(self, tokens: NDArray[Any], lengths: NDArray[numpy.int64]) -> None:
        """Add documents: their tokens, `(tokens,)`, and how many each has, `(documents,)`."""
        self.file.write(tokens.astype(self.type, copy=False).tobytes())
        self.lengths.append(lengths)

    def close(self) -> dict[str, int]:
        """Finish; returns how many documents and tokens there are."""
        self.file.close()
        ends = numpy.cumsum(numpy.concatenate([numpy.zeros(0, numpy.int64), *self.lengths]))
        numpy.save(self.folder / f"{self.language}.ends.npy", ends)
        return {"documents": len(ends), "tokens": int(ends[-1]) if len(ends) else 0}


@dataclass(frozen=True)
class TokenFile:
    """The documents of a language, memory-mapped.

    Args:
        language: The language.
        tokens: `(tokens,)`, uint16 or uint32; every document ends with a separator.
        ends: `(documents,)`, where each document ends.
    """

    language: str
    tokens: NDArray[Any]
    ends: NDArray[numpy.int64]

    @classmethod
    def open(cls, folder: Path, language: str, vocabulary: int) -> "TokenFile":
        """Open the token file of a language.

        Args:
            folder: Where it is.
            language: The language.
            vocabulary: The size of the vocabulary that it was written with.

        Returns:
            The file.

        Raises:
            UserError: When it is not there or damaged.
        """
        path = folder / f"{language}.bin"
        try:
            ends = numpy.load(folder / f"{language}.ends.npy", mmap_mode="r", allow_pickle=False)
            kind = token_type(vocabulary)
            if path.stat().st_size != (int(ends[-1]) if len(ends) else 0) * kind.itemsize:
                raise UserError(f"{path} is damaged: its documents are not as long. Remove {folder} to make it anew.")
            tokens = numpy.memmap(path, kind, "r") if len(ends) else numpy.zeros(0, kind)
        except (OSError, ValueError) as error:
            raise UserError(f"{path} is damaged ({error}). Remove {folder} to make it anew.") from error
        return cls(language, tokens, ends)


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write what is known of the token files of a folder."""
    (folder / FACTS).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_facts(folder: Path) -> dict[str, Any]:
    """Read what is known of the token files of a folder.

    Args:
        folder: The folder.

    Returns:
        Documents, tokens and bytes of each language.

    Raises:
        UserError: When it is not there or damaged.
    """
    try:
        return dict(json.loads((folder / FACTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{folder / FACTS} is damaged ({error}). Remove {folder}, and it is made anew.") from error
