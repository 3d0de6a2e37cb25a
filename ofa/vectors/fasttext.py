"""Trains fastText on text that is cut into tokens."""

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy

from ofa.vectors.word_vectors import WordVectors
from semeqv.runs.errors import UserError
from semeqv.text.tokenizers.encoding import encode

if TYPE_CHECKING:
    from ofa.vectors.token_vectors import TokenVectors

DOCUMENTS = 2**14  # cut into tokens at once


def token_vectors(documents: Iterable[Any], tokenizer: Any, options: "TokenVectors", seed: int, threads: int) -> Any:
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
