"""Labelled text as rows of tokens: a sentence, a piece of a long one, or one or two texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semeqv.lazy import Integers, numpy
from semeqv.text.tokenizers.encoding import encode, literal


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
    def of(cls, tokenizer: Any) -> Template:
        """Return the template of a tokenizer: what it puts around a text.

        Else its class token (or the one that begins a text), and its separator (or the one that ends a text), as the
        data sets of language models do.
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
        """Return how many rows there are."""
        return len(self.ends)


def word_rows(tokenizer: Any, sentences: Sequence[Sequence[str]], labels: Integers, longest: int) -> Rows:
    """Return rows of sentences whose words have labels; sentences that are too long are cut between words.

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
    """Return rows of one or two texts; where they are too long, the longer one loses its end.

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
