"""Tokenises text word by word, each word once.

A tokenizer cuts text at white space before it does anything else (byte-level, WordPiece and SentencePiece ones all do,
each in its way), so that the tokens of a text are those of its words, one after the other. A corpus has a hundred
times fewer distinct words than words; looking them up costs a fraction of tokenising them again. Whether it is true of
a tokenizer is not taken for granted: a share of all texts is tokenised in whole as well, and compared.
"""

import itertools
import os
import re
from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray
from tokenizers import Tokenizer

WORD = re.compile(r" ?\S+|\s+(?!\S)|\s+")
MOST_WORDS = 2**20  # kept at a time
CHECKED = 64  # one text in so many is compared, and all of the first piece

Tokens = tuple[NDArray[numpy.uint32], NDArray[numpy.int64]]


class Numbers(dict[str, int]):
    """Numbers of words; a new word takes the next."""

    def __init__(self) -> None:
        super().__init__()
        self.new: list[str] = []

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        self.new.append(word)
        return number


class WordEncoder:
    """Turns texts into tokens.

    Args:
        tokenizer: The tokenizer, as the JSON that `Tokenizer.to_str` writes.
    """

    def __init__(self, tokenizer: str):
        self.tokenizer = Tokenizer.from_str(tokenizer)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.tokenizer.encode_special_tokens = True  # what looks like a special token in a text is text
        self.whole = False  # whether words are not enough
        self.forget()
        self.seen = 0

    def forget(self) -> None:
        """Forget all words."""
        self.numbers = Numbers()
        self.tokens, self.starts = numpy.zeros(0, numpy.uint32), numpy.zeros(1, numpy.int64)

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenise texts, without special tokens.

        Args:
            texts: The texts.

        Returns:
            Their tokens one after the other, `(tokens,)`, and how many each text has, `(texts,)`.
        """
        if not self.whole:
            found = self.by_words(texts)
            if self.agrees(texts, *found):
                return found
            self.whole = True
        return self.in_whole(texts)

    def in_whole(self, texts: Sequence[str]) -> Tokens:
        """Tokenise texts as the tokenizer does."""
        pieces = [each.ids for each in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
        lengths = numpy.fromiter(map(len, pieces), numpy.int64, len(pieces))
        flat = itertools.chain.from_iterable(pieces)
        return numpy.fromiter(flat, numpy.uint32, int(lengths.sum())), lengths

    def by_words(self, texts: Sequence[str]) -> Tokens:
        """Tokenise texts by looking up their words."""
        if len(self.numbers) > MOST_WORDS:
            self.forget()
        pieces = [WORD.findall(text) for text in texts]
        counts = numpy.fromiter(map(len, pieces), numpy.int64, len(pieces))
        flat = itertools.chain.from_iterable(pieces)
        words = numpy.fromiter(map(self.numbers.__getitem__, flat), numpy.int64, int(counts.sum()))
        if self.numbers.new:
            tokens, lengths = self.in_whole(self.numbers.new)
            self.tokens = numpy.concatenate([self.tokens, tokens])
            self.starts = numpy.concatenate([self.starts, self.starts[-1] + numpy.cumsum(lengths)])
            self.numbers.new = []
        sizes = self.starts[words + 1] - self.starts[words]
        ends = numpy.cumsum(sizes)
        total = int(ends[-1]) if len(ends) else 0
        found = self.tokens[numpy.repeat(self.starts[words] - (ends - sizes), sizes) + numpy.arange(total)]
        return found, numpy.diff(numpy.concatenate([[0], ends])[numpy.cumsum(counts)], prepend=0)

    def agrees(self, texts: Sequence[str], tokens: NDArray[Any], lengths: NDArray[Any]) -> bool:
        """Whether a share of the texts has the tokens that the tokenizer finds in them."""
        chosen = list(range(0, len(texts), 1 if not self.seen else CHECKED))[:1000]
        self.seen += len(texts)
        theirs, their_lengths = self.in_whole([texts[i] for i in chosen])
        starts = numpy.cumsum(lengths) - lengths
        ours = [tokens[starts[i] : starts[i] + lengths[i]] for i in chosen]
        same = numpy.array_equal(lengths[chosen], their_lengths)
        return same and numpy.array_equal(numpy.concatenate([numpy.zeros(0, numpy.uint32), *ours]), theirs)


ENCODER: list[WordEncoder] = []


def start(tokenizer: str) -> None:
    """Prepare a process for `encode`."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are the parallelism
    ENCODER[:] = [WordEncoder(tokenizer)]


def encode(texts: Sequence[str]) -> Tokens:
    """Tokenise texts in a prepared process."""
    return ENCODER[0](texts)
