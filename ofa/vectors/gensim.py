"""Vectors of gensim as word2vec text, as an action."""

from dataclasses import dataclass, field
from pathlib import Path

from semeqv.grammar.component import component


@component("ofa convert-vectors")
@dataclass(frozen=True, kw_only=True)
class ConvertVectors:
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
    """

    source: Path = field(metadata={"alias": "from"})
    path: Path = Path("vectors.vec")
    allow_pickle: bool = False

    def build(self) -> None:
        """Read and write."""
        import click

        from ofa.vectors.pickled import read_pickle
        from ofa.vectors.writing import write_vectors
        from semeqv.runs.errors import UserError

        if not self.allow_pickle:
            raise UserError(
                f"{self.source} is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code."
            )
        vectors = read_pickle(self.source)
        write_vectors(self.path, vectors)
        click.echo(f"wrote {self.path} ({len(vectors):,} words)")
