"""Writes word vectors."""

from pathlib import Path

from ofa.vectors.word_vectors import WordVectors
from semeqv.runs.errors import UserError
from semeqv.text.files import writing


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
