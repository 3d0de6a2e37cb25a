"""Vectors of the tokens of a vocabulary, as an action."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component


@component("ofa token-vectors")
@dataclass(frozen=True, kw_only=True)
class TokenVectors:
    """Make vectors of the tokens of the sentence's tokenizer, on its training text, by fastText.

    The auxiliary vectors of FOCUS (Dobler & de Melo, 2023, arXiv 2305.14481): text is cut into tokens, and fastText
    (Bojanowski et al., 2017, arXiv 1607.04606) takes these for words. Needs `pip install -e '.[vectors]'`.

    Args:
        path: The file of vectors, word2vec text.
        dimensions: Numbers of a vector.
        window: Tokens to either side.
        least: Times that a token must occur.
        passes: Over the text.
        documents: The first so many documents; 0 for all.
    """

    path: Path = Path("tokens.vec")
    dimensions: int = 300
    window: int = 5
    least: int = 5
    passes: int = 3
    documents: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, dimensions=1, window=1, least=1, passes=1, documents=0)

    def build(
        self, *, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], seed: int, threads: int | None
    ) -> None:
        """Make the vectors and write them.

        Args:
            tokenizer: Of the run.
            dataset_options: The data sets of the sentence, not built; the training set is read.
            seed: Of fastText, which is deterministic with one thread alone.
            threads: Of fastText; one if None.

        Raises:
            UserError: When there is no text.
        """
        import click

        from ofa.vectors.fasttext import token_vectors
        from ofa.vectors.writing import write_vectors
        from semeqv.runs.errors import UserError

        corpus = dataset_options.get(("train", None))
        if corpus is None or not hasattr(corpus, "corpus"):
            raise UserError("Vectors of tokens are made of text; add: cli dataset europarl --languages fr")
        write_vectors(self.path, token_vectors(corpus.corpus(), tokenizer, self, seed, threads or 1))
        click.echo(f"wrote {self.path}")
