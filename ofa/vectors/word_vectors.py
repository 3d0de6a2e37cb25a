"""Words and their vectors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ofa.topk_search import Floats
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.text.files import lines, pieces, writing

LANGUAGE = re.compile(r"([a-z]{2,8}(?:[-_][A-Za-z0-9]+)*):(?=.)")  # fr:, eng_Latn:, pt-br:
ENGLISH = ("en", "eng", "eng_Latn")
# `$` as the edge of a word. Prices (`$100`) and currencies (`US$`) have it too, but not before a letter.
EDGE = re.compile(r"\$+[^$].*|.*[^$]\$+")
BEGUN = re.compile(r"\$[^\W\d_].*")
ENCLOSED = re.compile(r"\$[^\W\d_].*\$")


@dataclass(frozen=True)
class WordVectors:
    """A vector for every word.

    A word may say its language and where it begins and ends, `fra:$chien$`, as in ColexNet+ (Liu et al., 2023, arXiv
    2305.12818): `plain` takes both away. Whether words say their language, and whether `$` is such a mark or a dollar
    sign, is decided for the whole file.

    Args:
        words: The words, each once.
        matrix: `(words, width)`, finite.
    """

    words: Sequence[str]
    matrix: Floats

    def __len__(self) -> int:
        """Return how many words there are."""
        return len(self.words)

    @property
    def width(self) -> int:
        """Return the numbers of a vector."""
        return int(self.matrix.shape[1])

    def plain(self) -> list[str]:
        """Return the words as text has them: without their language, a `$` that marks boundaries being a space.

        They say their language where at least half of them begin like `fr:`, `eng_Latn:` or `pt-br:`; in other files
        the rare word with a colon is a word. `$` marks boundaries where at least half of the words that have one at an
        edge have it before a letter, `fra:$chien$` or `fra:$chien`; where words do not say their language, it must
        stand at both ends, `$chien$`. In other files it is a dollar sign, as in `US$` and `$100`.
        """
        named = 2 * sum(LANGUAGE.match(word) is not None for word in self.words) >= len(self.words)
        words = [LANGUAGE.sub("", word, count=1) for word in self.words] if named else list(self.words)
        return [marks_as_spaces(word) for word in words] if marks_boundaries(words, named) else words

    def of_languages(self, languages: Sequence[str]) -> WordVectors:
        """Return the vectors of the words of some languages.

        Args:
            languages: As the words say them, `eng` in `eng:$dog$`; a word that says none is English, as in ColexNet+.
                All words if there are none.

        Returns:
            The vectors, in their order.

        Raises:
            UserError: When a language has no word.
        """
        if not languages:
            return self
        languages_of = [match[1] if (match := LANGUAGE.match(word)) else None for word in self.words]
        english = {*ENGLISH} & {*languages}
        there = {*languages_of} | (english if None in languages_of else set())
        if missing := [language for language in languages if language not in there]:
            raise UserError(f"No word of the vectors says that it is {missing[0]}: {missing[0]}:word.")
        rows = [row for row, each in enumerate(languages_of) if each in languages or (each is None and english)]
        return WordVectors([self.words[row] for row in rows], self.matrix[rows])

    def unit(self) -> Floats:
        """Return the vectors at length 1; those of length 0 stay."""
        return unit(self.matrix)


def marks_boundaries(words: Sequence[str], named: bool) -> bool:
    """Return whether `$` marks where words begin and end; `named`: whether their languages stand before them."""
    edged = [word for word in words if EDGE.fullmatch(word)]
    mark = BEGUN if named else ENCLOSED
    return 0 < len(edged) <= 2 * sum(mark.fullmatch(word) is not None for word in edged)


def marks_as_spaces(word: str) -> str:
    """`$chien$` as ` chien `; a lone `$` stays."""
    return word.replace("$", " ") if len(word) > 1 else word


def unit(matrix: Floats) -> Floats:
    """Scale rows to length 1; those of length 0 stay."""
    lengths = numpy.sqrt(numpy.einsum("ij,ij->i", matrix, matrix, dtype=numpy.float64))
    scaled: Floats = matrix / numpy.where(lengths > 0, lengths, 1).astype(numpy.float32)[:, None]
    return scaled


def checked(words: Sequence[str], matrix: Floats, where: str, first: int = 1) -> WordVectors:
    """Refuse vectors that nothing can be made of.

    Args:
        words: The words.
        matrix: `(words, width)`.
        where: What they come from, for the message.
        first: The number of the row of the first word there.

    Returns:
        The same.

    Raises:
        UserError: When there are none, a number is not finite, or a word comes twice; the row is named.
    """
    if not words or not matrix.shape[1]:
        raise UserError(f"{where} holds no word vectors.")
    finite = numpy.isfinite(matrix).all(1)
    if not finite.all():
        row = int(finite.argmin())
        raise UserError(f"{where}, row {row + first}: the vector of {words[row]!r} holds a number that is not finite.")
    if len(set(words)) < len(words):
        seen: dict[str, int] = {}
        for row, word in enumerate(words):
            if word in seen:
                raise UserError(f"{where}, row {row + first}: {word!r} was there before, in row {seen[word] + first}.")
            seen[word] = row
    return WordVectors(words, matrix)


PICKLES = (".wv", ".model", ".kv", ".pkl", ".pickle")
ROWS = 8192  # read into one array
LONGEST_WORD = 2**12  # bytes
WIDEST = 2**16


def as_vectors(source: str | Path | WordVectors, most: int = 0) -> WordVectors:
    """Return word vectors that are open already, or read those of a file: see `read_vectors`."""
    return source if isinstance(source, WordVectors) else read_vectors(Path(source), most)


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
    """Return whether a file is word2vec's binary format: counts in the first line, then no text."""
    start = next(pieces(path), b"")
    head, feed, rest = start.partition(b"\n")
    if not feed or len(head.split()) != 2 or not all(part.isdigit() for part in head.split()):
        return False
    row = rest.split(b"\n", 1)[0][:4096]
    return sum(byte < 9 or 13 < byte < 32 for byte in row) > 0 or not decodes(row)


def decodes(row: bytes) -> bool:
    """Return whether bytes are UTF-8, but for a character that is cut off at their end."""
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
    """Return whether a first line may be word2vec's counts of words and numbers; or a word and its number."""
    return len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts) and int(parts[1]) <= WIDEST


def numbers(parts: list[str]) -> Floats | None:
    """Read the numbers that are written; None when one is none."""
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
    content = next(stream)
    head, _, content = content.partition(b"\n")
    count, width = map(int, head.split())
    if width > WIDEST:
        raise UserError(f"{path} promises vectors of {width:,} numbers in its first line; that is no word2vec file.")
    count = min(count, most) if most else count
    words: list[str] = []
    rows: list[Floats] = []
    at = 0
    for number in range(1, count + 1):
        while (space := content.find(b" ", at, at + LONGEST_WORD)) < 0 or len(content) < space + 1 + 4 * width:
            piece = next(stream, b"")
            if not piece or (space < 0 and len(content) - at > LONGEST_WORD):
                raise UserError(f"{path} ends in row {number} of {count:,}, or is no word2vec file.")
            content, at = content[at:] + piece, 0
        try:
            words.append(content[at:space].lstrip(b"\n").decode())
        except UnicodeDecodeError:
            raise UserError(f"{path}, row {number}: the word is not UTF-8.") from None
        rows.append(numpy.frombuffer(content, "<f4", width, space + 1).astype(numpy.float32))
        at = space + 1 + 4 * width
    matrix = numpy.stack(rows) if rows else numpy.zeros((0, width), numpy.float32)
    return checked(words, matrix, str(path))


def write_vectors(path: Path, vectors: WordVectors) -> None:
    """Write vectors as word2vec text: counts in the first line, then a word and its numbers in each.

    Args:
        path: The file.
        vectors: The vectors.

    Raises:
        UserError: When the file cannot be written, or a word holds a space, which the format parts words by.
    """
    if path.suffix in (".bin", ".gz", ".xz", ".bz2"):
        raise UserError(f"{path}: vectors are written as text; end the name in .vec.")
    with writing(path) as file:
        file.write(f"{len(vectors)} {vectors.width}\n")
        for word, row in zip(vectors.words, vectors.matrix):
            if " " in word or "\n" in word:
                raise UserError(f"{path}: the word {word!r} holds a space, which this format parts words by.")
            file.write(f"{word} {' '.join(f'{value:.6g}' for value in row.tolist())}\n")
