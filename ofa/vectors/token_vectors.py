"""Vectors of the tokens of a vocabulary, by fastText."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ofa.vectors.word_vectors import WordVectors, write_vectors
from semeqv.grammar.action import Written, action
from semeqv.grammar.component import check_bounds
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.text.tokenizers.encoding import encode
from semeqv.train.compute import Compute

DOCUMENTS = 2**14  # cut into tokens at once


@dataclass(frozen=True, kw_only=True)
class FastTextOptions:
    """How fastText is trained.

    Args:
        dimensions: Numbers of a vector.
        window: Tokens to either side.
        least: Times that a token must occur.
        passes: Over the text.
        documents: The first so many documents; 0 for all.
    """

    dimensions: int = 300
    window: int = 5
    least: int = 5
    passes: int = 3
    documents: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, dimensions=1, window=1, least=1, passes=1, documents=0)


@dataclass(frozen=True)
class WrittenVectors(Written):
    """Vectors that were made and written.

    Args:
        vectors: The vectors.
        path: The file.
    """

    vectors: WordVectors
    path: Path

    def show(self) -> None:
        """Print where they are."""
        click.echo(f"wrote {self.path}")


@action("ofa token-vectors")
def make_token_vectors(
    tokenizer: Any,
    dataset_options: Mapping[tuple[str, str | None], Any],
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    path: Path = Path("tokens.vec"),
    fasttext: FastTextOptions = FastTextOptions(),
) -> WrittenVectors:
    """Make vectors of the tokens of the sentence's tokenizer, on its training text, by fastText.

    The auxiliary vectors of FOCUS (Dobler & de Melo, 2023, arXiv 2305.14481): text is cut into tokens, and fastText
    (Bojanowski et al., 2017, arXiv 1607.04606) takes these for words. Needs `pip install -e '.[vectors]'`.

    Args:
        tokenizer: Of the run.
        dataset_options: The data sets of the sentence, not built; the training set is read.
        seed: Of fastText, which is deterministic with one thread alone.
        compute: How many threads; one if None.
        path: The file of vectors, word2vec text.
        fasttext: How it is trained.

    Returns:
        The vectors.

    Raises:
        UserError: When there is no text.
    """
    corpus = dataset_options.get(("train", None))
    if corpus is None or not hasattr(corpus, "corpus"):
        raise UserError("Vectors of tokens are made of text; add: cli dataset europarl --languages fr")
    vectors = token_vectors(corpus.corpus(), tokenizer, fasttext, seed=seed, threads=compute.threads or 1)
    write_vectors(Path(path), vectors)
    return WrittenVectors(vectors, Path(path))


def token_vectors(
    documents: Iterable[Any], tokenizer: Any, options: FastTextOptions, *, seed: int, threads: int = 1
) -> WordVectors:
    """Train vectors of tokens.

    Args:
        documents: With a `text` each.
        tokenizer: A fast tokenizer of transformers.
        options: How.
        seed: Of fastText.
        threads: Of fastText.

    Returns:
        The vectors of the tokens that are frequent enough, the most frequent first, but for those with a blank or
        the end of a line in them.

    Raises:
        UserError: When gensim is not installed, or there is too little text.
    """
    try:
        from gensim.models import FastText
    except ImportError:
        raise UserError("fastText is trained by gensim; install it: pip install -e '.[vectors]'") from None
    stream = iter(documents)
    if options.documents:
        stream = itertools.islice(stream, options.documents)
    sentences: list[list[str]] = []
    while some := [document.text for document in itertools.islice(stream, DOCUMENTS)]:
        sentences += [tokenizer.convert_ids_to_tokens(ids) for ids in encode(tokenizer, some)]
    model = FastText(
        vector_size=options.dimensions, window=options.window, min_count=options.least, sg=1, seed=seed, workers=threads
    )
    try:
        model.build_vocab(corpus_iterable=sentences)
        model.train(corpus_iterable=sentences, total_examples=len(sentences), epochs=options.passes)
    except RuntimeError:
        raise UserError(f"No token occurs {options.least} times; give more text or a smaller --least.") from None
    words = [word for word in model.wv.index_to_key if not set(word) & set(" \r\n")]  # which a file cannot hold
    return WordVectors(words, numpy.stack([model.wv[word] for word in words]).astype(numpy.float32))
