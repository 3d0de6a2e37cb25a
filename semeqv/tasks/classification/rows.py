"""Labelled text as rows of tokens: a sentence, a piece of a long one, or one or two texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from semeqv.tasks.classification.alignment import Subwords, Template, aligned
from semeqv.text.tokenizers.encoding import encode

Integers = NDArray[numpy.int64]
UNLABELLED = -100


@dataclass(frozen=True)
class Rows:
    """Rows of tokens, and the labels of each, one after the other.

    Args:
        tokens: `(tokens,)`, special ones included.
        ends: Where each row ends among the tokens, `(rows,)`.
        labels: `(labels,)`, -100 where there is none: one for each word, or one for each row.
        label_ends: Where each row ends among the labels, `(rows,)`.
        sentences: The sentence that each row is (a piece) of, `(rows,)`.
        words: Which word of its row each token is of, -1 for special ones, `(tokens,)`; None where rows are labelled.
        types: Token types, `(tokens,)`; None where all are 0.
    """

    tokens: Integers
    ends: Integers
    labels: Integers
    label_ends: Integers
    sentences: Integers
    words: Integers | None = None
    types: Integers | None = None

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.ends)


def word_rows(tokenizer: Any, sentences: Sequence[Sequence[str]], labels: Integers, longest: int) -> Rows:
    """Rows of sentences whose words have labels; sentences that are too long are cut between words.

    Args:
        tokenizer: A fast tokenizer of transformers.
        sentences: Words of each sentence.
        labels: `(words,)`, sentence after sentence.
        longest: The most tokens of a row; of a word that is longer, only its beginning is read.

    Returns:
        The rows.
    """
    template, subwords = Template.of(tokenizer), aligned(tokenizer, sentences)
    begin, end = len(template.begin), len(template.end)
    room = longest - begin - end
    subwords = shortened(subwords, len(labels), room)
    sizes = numpy.bincount(subwords.words, minlength=len(labels))
    firsts, sentence = cut(sizes, numpy.array([len(words) for words in sentences]), room)
    word_ends = numpy.append(firsts[1:], len(labels))
    starts = numpy.concatenate([[0], numpy.cumsum(sizes)])
    lengths = starts[word_ends] - starts[firsts]
    ends = numpy.cumsum(lengths + begin + end)
    heads = ends - lengths - begin - end
    tokens, words = numpy.empty(int(ends[-1]), numpy.int64), numpy.full(int(ends[-1]), -1)
    for place, token in enumerate(template.begin):
        tokens[heads + place] = token
    for place, token in enumerate(template.end):
        tokens[ends - end + place] = token
    inner = numpy.arange(len(subwords.tokens)) + numpy.repeat(heads + begin - starts[firsts], lengths)
    tokens[inner] = subwords.tokens
    words[inner] = subwords.words - numpy.repeat(firsts, lengths)
    return Rows(tokens, ends, labels, word_ends, sentence, words)


def shortened(subwords: Subwords, count: int, room: int) -> Subwords:
    """Only as many tokens of each word as a row has room for."""
    sizes = numpy.bincount(subwords.words, minlength=count)
    rank = numpy.arange(len(subwords.words)) - (numpy.cumsum(sizes) - sizes)[subwords.words]
    return Subwords(subwords.tokens[rank < room], subwords.words[rank < room])


def cut(sizes: Integers, lengths: Integers, room: int) -> tuple[Integers, Integers]:
    """Cut sentences into rows, each as long as may be.

    Args:
        sizes: How many tokens each word has, `(words,)`.
        lengths: How many words each sentence has, `(sentences,)`.
        room: How many tokens fit into a row.

    Returns:
        The first word of each row and its sentence, both `(rows,)`.
    """
    begins = numpy.cumsum(lengths) - lengths
    before = numpy.concatenate([[0], numpy.cumsum(sizes)])
    firsts, sentences = [], []
    for sentence, (begin, length) in enumerate(zip(begins.tolist(), lengths.tolist())):
        first = begin
        while first < begin + length:
            firsts.append(first)
            sentences.append(sentence)
            first = int(numpy.searchsorted(before, before[first] + room, side="right")) - 1
    return numpy.array(firsts, numpy.int64), numpy.array(sentences, numpy.int64)


def text_rows(tokenizer: Any, texts: Sequence[tuple[str, ...]], labels: Integers, longest: int) -> Rows:
    """Rows of one or two texts; where they are too long, the longer one loses its end.

    Args:
        tokenizer: A fast tokenizer of transformers.
        texts: One or two texts of each row.
        labels: `(rows,)`.
        longest: The most tokens of a row.

    Returns:
        The rows.
    """
    template = Template.of(tokenizer)
    flat = iter(encode(tokenizer, [text for row in texts for text in row]))
    tokens, types, sizes = list[int](), list[int](), list[int]()
    for row in texts:
        first, *rest = [next(flat) for _ in row]
        second = rest[0] if rest else []
        specials = len(template.begin) + len(template.end) + bool(rest) * len(template.between)
        first, second = fitting(first, second, longest - specials)
        head = [*template.begin, *first, *(template.between if rest else ())]
        tail = [*second, *template.end]
        tokens += head + tail
        types += [0] * len(head) + [template.second if rest else 0] * len(tail)
        sizes.append(len(head) + len(tail))
    kinds = numpy.array(types, numpy.int64)
    places = numpy.arange(len(texts))
    flat_tokens = numpy.array(tokens, numpy.int64)
    return Rows(flat_tokens, numpy.cumsum(sizes), labels, places + 1, places, types=kinds if kinds.any() else None)


def fitting(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    """Two texts that fit together; what is too much is taken from the longer one, then from both."""
    half = room // 2
    keep = max(room - len(second), half) if len(first) >= len(second) else min(len(first), room - half)
    return first[:keep], second[: room - min(len(first), keep)]
