"""Reads word vectors: word2vec text and binary, fastText and GloVe text, compressed or not.

The vectors of gensim are pickles: `cli ofa convert-vectors` makes text of them.
"""

from pathlib import Path

import numpy

from ofa.vectors.word_vectors import Floats, WordVectors, checked
from semeqv.runs.errors import UserError
from semeqv.text.files import lines, pieces

PICKLES = (".wv", ".model", ".kv", ".pkl", ".pickle")
ROWS = 8192  # read into one array
LONGEST_WORD = 2**12  # bytes
WIDEST = 2**16


def read_vectors(path: Path, most: int = 0) -> WordVectors:
    """Read a file of word vectors.

    Args:
        path: Text, a word and its numbers in each line, with or without a first line of counts, which is told from a
            word by the lines that follow; or word2vec's binary format, which is known by its bytes. Plain, compressed,
            or a member of an archive.
        most: The first so many words; 0 for all.

    Returns:
        The vectors.

    Raises:
        UserError: When the file is damaged, rows have different widths, a number is none or not finite, or a word
            comes twice; the row is named.
    """
    if path.name.lower().endswith(PICKLES):
        raise UserError(
            f"{path} is a pickle of gensim, which may run code when it is opened. Make text of it: "
            f"cli ofa convert-vectors --from {path} --allow_pickle --path {path.with_suffix('.vec').name}"
        )
    return read_binary(path, most) if is_binary(path) else read_text(path, most)


def is_binary(path: Path) -> bool:
    """Whether a file is word2vec's binary format: counts in the first line, then no text."""
    start = next(pieces(path), b"")
    head, feed, rest = start.partition(b"\n")
    if not feed or len(head.split()) != 2 or not all(part.isdigit() for part in head.split()):
        return False
    row = rest.split(b"\n", 1)[0][:4096]
    return sum(byte < 9 or 13 < byte < 32 for byte in row) > 0 or not decodes(row)


def decodes(row: bytes) -> bool:
    """Whether bytes are UTF-8, but for a character that is cut off at their end."""
    try:
        row.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def read_text(path: Path, most: int) -> WordVectors:
    """Read vectors from text.

    Args:
        path: The file.
        most: The first so many words; 0 for all.

    Returns:
        The vectors.

    Raises:
        UserError: When a row is no word with numbers, or has another width than the first.
    """
    words: list[str] = []
    blocks: list[Floats] = []
    rows: list[Floats] = []
    head = list[str]()
    width = first = 0
    for number, line in lines(path):
        parts = line.rstrip().split(" ")
        if number == 1 and is_head(parts):
            head, width = parts, int(parts[1])
            continue
        if number == 2 and head and width != 1 and len(parts) == 2:  # the first line is a row too, of one number
            words, rows, first, width, head = [head[0]], [numpy.array(head[1:], numpy.float32)], 1, 1, []
        first = first or number
        width = width or len(parts) - 1
        if len(parts) <= width or width < 1:
            raise UserError(f"{path}, row {number}: {len(parts) - 1} numbers, where the rows before have {width}.")
        word = " ".join(parts[:-width])  # words of GloVe hold spaces
        row = numbers(parts[-width:])
        if row is None or (len(parts) > width + 1 and numbers(parts[1:]) is not None):
            what = f"{len(parts) - 1} numbers, where the rows before have {width}" if row is not None else "no numbers"
            raise UserError(f"{path}, row {number}: {what} after {parts[0]!r:.60}.")
        words.append(word)
        rows.append(row)
        if len(rows) == ROWS:
            blocks.append(numpy.stack(rows))
            rows.clear()
        if 0 < most <= len(words) and not (head and width == 1):  # whose first line the last one decides on
            break
    blocks += [numpy.stack(rows)] if rows else []
    whole = not most or len(words) < most or width == 1
    if head and width == 1 and words and whole and int(head[0]) != len(words):  # no count of words, but one of them
        words, blocks, first = [head[0], *words], [numpy.array([head[1:]], numpy.float32), *blocks], 1
    elif head and whole and int(head[0]) != len(words):
        raise UserError(f"{path} promises {int(head[0]):,} words in its first line and holds {len(words):,}.")
    matrix = numpy.concatenate(blocks) if blocks else numpy.zeros((0, width), numpy.float32)
    return checked(words[: most or None], matrix[: most or None], str(path), first)


def is_head(parts: list[str]) -> bool:
    """Whether the parts of a first line may be word2vec's counts of words and numbers; or a word and its number."""
    return len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts) and int(parts[1]) <= WIDEST


def numbers(parts: list[str]) -> Floats | None:
    """The numbers that are written; None when one is none."""
    try:
        with numpy.errstate(over="ignore"):
            return numpy.array(parts, dtype=numpy.float32)
    except ValueError:
        return None


def read_binary(path: Path, most: int) -> WordVectors:
    """Read vectors in word2vec's binary format.

    Args:
        path: The file.
        most: The first so many words; 0 for all.

    Returns:
        The vectors.

    Raises:
        UserError: When the file ends early, or a row is no word.
    """
    stream = pieces(path)
    held = next(stream)
    head, _, held = held.partition(b"\n")
    count, width = map(int, head.split())
    if width > WIDEST:
        raise UserError(f"{path} promises vectors of {width:,} numbers in its first line; that is no word2vec file.")
    count = min(count, most) if most else count
    words: list[str] = []
    rows: list[Floats] = []
    at = 0
    for number in range(1, count + 1):
        while (space := held.find(b" ", at, at + LONGEST_WORD)) < 0 or len(held) < space + 1 + 4 * width:
            piece = next(stream, b"")
            if not piece or (space < 0 and len(held) - at > LONGEST_WORD):
                raise UserError(f"{path} ends in row {number} of {count:,}, or is no word2vec file.")
            held, at = held[at:] + piece, 0
        try:
            words.append(held[at:space].lstrip(b"\n").decode())
        except UnicodeDecodeError:
            raise UserError(f"{path}, row {number}: the word is not UTF-8.") from None
        rows.append(numpy.frombuffer(held, "<f4", width, space + 1).astype(numpy.float32))
        at = space + 1 + 4 * width
    matrix = numpy.stack(rows) if rows else numpy.zeros((0, width), numpy.float32)
    return checked(words, matrix, str(path))
