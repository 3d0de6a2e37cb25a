"""From documents to token files: in parallel, with a bar, in memory that does not grow with the corpus."""

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy

from semeqv.engine.bars import Progress
from semeqv.text.tokens import words
from semeqv.text.tokens.files import TokenWriter, write_facts

PIECE = 2**20  # characters handed over at a time
ALONE = 2**24  # bytes of text below which other processes do not pay


def write_token_files(
    folder: Path,
    rows: Iterable[Mapping[str, str]],
    tokenizer: str,
    *,
    vocabulary: int,
    separator: int,
    begin: int | None = None,
    together: bool = False,
    bytes_expected: int = 0,
) -> None:
    """Write the token files of a corpus.

    Args:
        folder: Where to.
        rows: Documents: what each says in each language.
        tokenizer: The tokenizer, as JSON.
        vocabulary: The size of its vocabulary.
        separator: The token that ends every document.
        begin: The token that begins every document, if one does.
        together: Whether what a row says in all languages makes one document, each followed by the separator.
        bytes_expected: About how many bytes of text there are, which decides on the number of processes.
    """
    writers, sizes = dict[str, TokenWriter](), dict[str, int]()
    pieces = cut(rows, together)
    with (
        Progress(unit="B", unit_scale=True, desc="tokenise", disable=None, mininterval=0.5) as bar,
        encoding(tokenizer, processes(bytes_expected)) as pool,
    ):
        for name, texts, found in in_order(pool, pieces):
            parts = name.count("+") + 1  # texts of a document
            tokens, lengths = with_separator(*found, separator)
            lengths = lengths.reshape(-1, parts).sum(1)
            if begin is not None:
                tokens, lengths = with_begin(tokens, lengths, begin)
            if name not in writers:
                writers[name], sizes[name] = TokenWriter(folder, name, vocabulary), 0
            writers[name].write(tokens, lengths)
            size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
            sizes[name] += size
            bar.update(size)
    counts = {name: writer.close() | {"bytes": sizes[name]} for name, writer in writers.items()}
    write_facts(folder, {"languages": counts, "separator": separator, "begin": begin, "vocabulary": vocabulary})


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


def processes(size: int) -> int:
    """How many processes tokenise a corpus of so many bytes; 0 for this one alone."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if size < ALONE else min(cores, 16)


@contextmanager
def encoding(tokenizer: str, count: int) -> Iterator[Executor | None]:
    """Processes that are ready to tokenise; None when this process does it."""
    if not count:
        words.start(tokenizer)
        yield None
        return
    context = get_context("spawn")  # forking a process that has run torch is not safe
    with ProcessPoolExecutor(count, mp_context=context, initializer=words.start_helper, initargs=(tokenizer,)) as pool:
        yield pool


def in_order(
    pool: Executor | None, pieces: Iterable[tuple[str, list[str]]]
) -> Iterator[tuple[str, list[str], words.Tokens]]:
    """Tokenise pieces, a few ahead, and give them back in their order."""
    if pool is None:
        for name, texts in pieces:
            yield name, texts, words.encode(texts)
        return
    ahead: deque[tuple[str, list[str], Future[Any]]] = deque()
    for name, texts in itertools.chain(pieces, itertools.repeat(("", []))):
        if texts:
            ahead.append((name, texts, pool.submit(words.encode, texts)))
        if not ahead:
            return
        if len(ahead) >= 32 or not texts:
            first, said, future = ahead.popleft()
            yield first, said, future.result()
