"""From words to tokens, and which word each token is of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from semeqv.text.tokenizers.encoding import literal

Integers = NDArray[numpy.int64]


@dataclass(frozen=True)
class Template:
    """The special tokens around a text, and around two of them.

    Args:
        begin: What stands before the first text.
        end: What stands after the last.
        between: What stands between two.
        second: The token type of the second text, and of what stands behind it; 0 for models that know no types.
    """

    begin: tuple[int, ...]
    end: tuple[int, ...]
    between: tuple[int, ...]
    second: int = 0

    @classmethod
    def of(cls, tokenizer: Any) -> "Template":
        """That of a tokenizer: what it puts around a text; else its class token (or the one that begins a text), and
        its separator (or the one that ends a text), as the data sets of language models do.
        """
        backend = tokenizer.backend_tokenizer
        if not backend.num_special_tokens_to_add(is_pair=True):
            first = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
            last = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
            begin, end = (() if each is None else (int(each),) for each in (first, last))
            return cls(begin, end, end)
        pair = literal(tokenizer).encode("a", "a")
        sides = numpy.array([-1 if side is None else side for side in pair.sequence_ids])
        (a,), (b,) = (numpy.flatnonzero(sides == side)[[0]] for side in (0, 1))
        a_end, b_end = (int(numpy.flatnonzero(sides == side)[-1]) + 1 for side in (0, 1))
        second = pair.type_ids[b] if "token_type_ids" in tokenizer.model_input_names else 0
        return cls(tuple(pair.ids[:a]), tuple(pair.ids[b_end:]), tuple(pair.ids[a_end:b]), second)


@dataclass(frozen=True)
class Subwords:
    """The tokens of some sentences, without special ones.

    Args:
        tokens: `(tokens,)`, sentence after sentence.
        words: Which word each is of, counted over all sentences, `(tokens,)`; never smaller than the one before.
    """

    tokens: Integers
    words: Integers


def aligned(tokenizer: Any, sentences: Sequence[Sequence[str]]) -> Subwords:
    """Tokenise sentences of words, each as running text with a blank between words.

    A token belongs to the word in which it ends, and a blank to the word after it, so that tokenizers that keep blanks,
    drop them or mark them are all read alike. A word of which a tokenizer leaves nothing becomes its unknown token.

    Args:
        tokenizer: A fast tokenizer of transformers.
        sentences: Words of each sentence.

    Returns:
        The tokens and their words.
    """
    texts = [" ".join(words) for words in sentences]
    encodings = literal(tokenizer).encode_batch(texts, add_special_tokens=False)
    counts = numpy.array([len(encoding.ids) for encoding in encodings])
    tokens = numpy.array([token for encoding in encodings for token in encoding.ids], numpy.int64)
    ends = numpy.array([end for encoding in encodings for _, end in encoding.offsets], numpy.int64)
    lengths = numpy.array([len(word) + 1 for words in sentences for word in words], numpy.int64)  # with a blank
    begins = numpy.cumsum(lengths) - lengths  # where each word begins if all sentences are one text
    sizes = numpy.array([len(text) + 1 for text in texts])
    last = numpy.repeat(numpy.cumsum(sizes) - sizes, counts) + numpy.maximum(ends, 1) - 1
    words = numpy.searchsorted(begins - 1, last, side="right") - 1
    lost = numpy.flatnonzero(numpy.bincount(words, minlength=len(begins)) == 0)
    if len(lost) and tokenizer.unk_token_id is not None:
        places = numpy.searchsorted(words, lost)
        tokens, words = numpy.insert(tokens, places, tokenizer.unk_token_id), numpy.insert(words, places, lost)
    return Subwords(tokens, words)
