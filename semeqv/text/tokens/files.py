"""Token files: the token numbers of a language's documents, one after the other, and where each document ends."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from semeqv.lazy import NDArray, concurrent, multiprocessing, numpy
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.text.tokens import words

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
    def open(cls, folder: Path, language: str, vocabulary: int) -> TokenFile:
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


PIECE = 2**20  # characters handed over at a time


@dataclass(frozen=True)
class Piece:
    """Tokenised texts of a token file.

    Args:
        name: Of the file: `en`, or `en+fr` where a text and its translation are one document.
        size: Bytes of text.
        tokens: `(tokens,)`, those of all texts, one text after the other.
        lengths: `(texts,)`, how many each text has.
    """

    name: str
    size: int
    tokens: NDArray[numpy.uint32]
    lengths: NDArray[numpy.int64]


def tokenised(
    rows: Iterable[Mapping[str, str]],
    tokenizer: str,
    *,
    together: bool = False,
    helpers: int = 0,
    share: tuple[int, int] = (0, 1),
) -> Iterator[Piece]:
    """Tokenise a corpus, with a bar.

    Args:
        rows: Documents: what each says in each language.
        tokenizer: The tokenizer, as JSON.
        together: Whether what a row says in all languages makes one document.
        helpers: How many processes do it; 0 for this one alone.
        share: Which pieces: of every so many (second) the one of this number (first, from 0).

    Yields:
        The pieces, in their order.
    """
    pieces = itertools.islice(cut(rows, together), share[0], None, share[1])
    with (
        Progress(unit="B", unit_scale=True, desc="tokenise", disable=None, mininterval=0.5) as bar,
        encoding(tokenizer, helpers) as pool,
    ):
        for name, texts, found in in_order(pool, pieces):
            size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
            yield Piece(name, size, *found)
            bar.update(size)


def write_token_files(
    folder: Path, pieces: Iterable[Piece], *, vocabulary: int, separator: int, begin: int | None = None
) -> None:
    """Write the token files of a corpus.

    Args:
        folder: Where to.
        pieces: Of the corpus; each text of a document is followed by the separator.
        vocabulary: The size of the vocabulary of the tokenizer.
        separator: The token that ends every document.
        begin: The token that begins every document, if one does.
    """
    writers, sizes = dict[str, TokenWriter](), dict[str, int]()
    for piece in pieces:
        parts = piece.name.count("+") + 1  # texts of a document
        tokens, lengths = with_separator(piece.tokens, piece.lengths, separator)
        lengths = lengths.reshape(-1, parts).sum(1)
        if begin is not None:
            tokens, lengths = with_begin(tokens, lengths, begin)
        if piece.name not in writers:
            writers[piece.name], sizes[piece.name] = TokenWriter(folder, piece.name, vocabulary), 0
        writers[piece.name].write(tokens, lengths)
        sizes[piece.name] += piece.size
    counts = {name: writer.close() | {"bytes": sizes[name]} for name, writer in writers.items()}
    write_facts(folder, {"languages": counts, "separator": separator, "begin": begin, "vocabulary": vocabulary})


def write_share(path: Path, pieces: Iterable[Piece]) -> None:
    """Write pieces to a file, from which `read_shares` reads them."""
    with open(path, "wb") as file:
        for piece in pieces:
            file.write(json.dumps([piece.name, piece.size]).encode() + b"\n")
            numpy.save(file, piece.tokens)
            numpy.save(file, piece.lengths)


def read_shares(paths: Sequence[Path]) -> Iterator[Piece]:
    """Read the pieces of a corpus that several processes tokenised, each every n-th; yields them in their order."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(open(path, "rb")) for path in paths]
        for file in itertools.cycle(files):
            if not (head := file.readline()):
                return
            name, size = json.loads(head)
            yield Piece(name, size, numpy.load(file), numpy.load(file))


def cut(rows: Iterable[Mapping[str, str]], together: bool) -> Iterator[tuple[str, list[str]]]:
    """Texts in pieces of about as many characters, each of one token file: its name, `en` or `en+fr`, comes first."""
    held, sizes = dict[str, list[str]](), dict[str, int]()
    for row in rows:
        for name, texts in {"+".join(row): list(row.values())}.items() if together else zip(row, zip(row.values())):
            held.setdefault(name, []).extend(texts)
            sizes[name] = sizes.get(name, 0) + sum(map(len, texts)) + 1
            if sizes[name] >= PIECE:
                yield name, held.pop(name)
                sizes[name] = 0
    yield from held.items()


def with_separator(tokens: Any, lengths: Any, separator: int) -> tuple[Any, Any]:
    """Put a separator after every text."""
    found = numpy.full(len(tokens) + len(lengths), separator, tokens.dtype)
    places = numpy.arange(len(tokens)) + numpy.repeat(numpy.arange(len(lengths)), lengths)
    found[places] = tokens
    return found, lengths + 1


def with_begin(tokens: Any, lengths: Any, begin: int) -> tuple[Any, Any]:
    """Put a token before every document."""
    return numpy.insert(tokens, numpy.cumsum(lengths) - lengths, begin), lengths + 1


@contextmanager
def encoding(tokenizer: str, count: int) -> Iterator[concurrent.futures.Executor | None]:
    """Processes that are ready to tokenise; None when this process does it."""
    if not count:
        words.start(tokenizer)
        yield None
        return
    context = multiprocessing.get_context("spawn")  # forking a process that has run torch is not safe
    with concurrent.futures.ProcessPoolExecutor(
        count, mp_context=context, initializer=words.start_helper, initargs=(tokenizer,)
    ) as pool:
        yield pool


def in_order(
    pool: concurrent.futures.Executor | None, pieces: Iterable[tuple[str, list[str]]]
) -> Iterator[tuple[str, list[str], words.Tokens]]:
    """Tokenise pieces, a few ahead, and give them back in their order."""
    if pool is None:
        for name, texts in pieces:
            yield name, texts, words.encode(texts)
        return
    ahead: deque[tuple[str, list[str], concurrent.futures.Future[Any]]] = deque()
    for name, texts in itertools.chain(pieces, itertools.repeat(("", []))):
        if texts:
            ahead.append((name, texts, pool.submit(words.encode, texts)))
        if not ahead:
            return
        if len(ahead) >= 32 or not texts:
            first, said, future = ahead.popleft()
            yield first, said, future.result()
