"""Tokenises text word by word, each word once.

A tokenizer cuts text at white space before it does anything else (byte-level, WordPiece and SentencePiece ones all do,
each in its way), so that the tokens of a text are those of its words, one after the other. A corpus has a hundred
times fewer distinct words than words; looking them up costs a fraction of tokenising them again. Of which texts it is
true follows from the steps of a tokenizer (`unfit`); others are tokenised in whole.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from semeqv.lazy import NDArray, multiprocessing, numpy
from semeqv.runs.signals import end_with_parent
from semeqv.text.tokenizers.encoding import opened

WORD = re.compile(r" ?\S+|\s+(?!\S)|\s+")
MOST_WORDS, MOST_TOKENS = 2**20, 2**23  # kept at a time

RARE = re.compile(r"[^\S \t\n\r]")  # white space of which not all say that it is white space
UNTIDY = re.compile(r"[^\S ]|  |\A | \Z")  # white space other than single blanks between words
CUTTERS = {"BertPreTokenizer", "WhitespaceSplit", "Whitespace"}  # cut at white space and leave it out
TIDY = {"NFC", "NFD", "Lowercase"}  # change letters alone
LOCAL = TIDY | {"NFKC", "NFKD", "StripAccents", "BertNormalizer"}  # change no character because of another word

Tokens: TypeAlias = "tuple[NDArray[numpy.uint32], NDArray[numpy.int64]]"


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
        self.tokenizer = opened(tokenizer)
        self.unfit = unfit(json.loads(tokenizer))
        self.forget()

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
        return self.by_words(texts) if self.unfit else self.in_whole(texts)

    def in_whole(self, texts: Sequence[str]) -> Tokens:
        """Tokenise texts as the tokenizer does."""
        pieces = [each.ids for each in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
        lengths = numpy.fromiter(map(len, pieces), numpy.int64, len(pieces))
        flat = itertools.chain.from_iterable(pieces)
        return numpy.fromiter(flat, numpy.uint32, int(lengths.sum())), lengths

    def by_words(self, texts: Sequence[str]) -> Tokens:
        """Tokenise texts by looking up their words; an unfit text is a word of its own."""
        assert self.unfit
        if len(self.numbers) > MOST_WORDS or len(self.tokens) > MOST_TOKENS:
            self.forget()
        pieces = [[text] if self.unfit.search(text) else WORD.findall(text) for text in texts]
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


def unfit(tokenizer: Mapping[str, Any]) -> re.Pattern[str] | None:
    """What a text must not hold, if its tokens shall be those of its words.

    Args:
        tokenizer: A tokenizer, the object that its JSON says.

    Returns:
        What it must not hold; None where no text will do: a tokenizer may cut elsewhere, or not be known.
    """
    normalizers, cutters = steps(tokenizer["normalizer"]), steps(tokenizer["pre_tokenizer"])
    own = (token for token in tokenizer["added_tokens"] if not token["special"])
    if tokenizer["model"].get("dropout") or any(
        token["lstrip"] or token["rstrip"] or re.search(r"\s", token["content"]) for token in own
    ):
        return None
    first = cutters[0] if cutters else {"type": ""}
    trims = {each["type"] for each in normalizers if each["type"] == "Strip" or blanks_into_one(each)}
    kinds = {each["type"] for each in normalizers} - trims
    if first["type"] in CUTTERS:
        return RARE if kinds <= LOCAL else UNTIDY if kinds <= LOCAL | {"Precompiled"} else None
    if first["type"] == "ByteLevel" and first["use_regex"] and not trims:
        return RARE if kinds <= TIDY and not first["add_prefix_space"] else UNTIDY if kinds <= LOCAL else None
    if first["type"] == "Metaspace" and first.get("split", True) and first.get("prepend_scheme") == "always":
        # A word of which nothing is left must leave nothing, or its blank, in the text as by itself.
        return UNTIDY if kinds <= LOCAL | {"Precompiled"} and len(trims) != 1 else None
    return None


def steps(said: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The steps of a normalizer or of a pre-tokenizer, those of a sequence one by one."""
    if said is None:
        return []
    inner = said.get("normalizers", said.get("pretokenizers"))
    return [said] if inner is None else [step for each in inner for step in steps(each)]


def blanks_into_one(step: Mapping[str, Any]) -> bool:
    """Whether a step of a normalizer makes one blank of several."""
    return [step.get(key) for key in ("type", "pattern", "content")] == ["Replace", {"Regex": " {2,}"}, " "]


ENCODER: list[WordEncoder] = []


def start(tokenizer: str) -> None:
    """Prepare this process for `encode`."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are the parallelism
    ENCODER[:] = [WordEncoder(tokenizer)]


def start_helper(tokenizer: str) -> None:
    """Prepare a process of a pool, which ends with the process that started it.

    Only for a process of `spawn`: of `forkserver`, the process that asked for it is not the one that started it.
    """
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        end_with_parent(signal.SIGKILL, parent.pid)
    start(tokenizer)


def encode(texts: Sequence[str]) -> Tokens:
    """Tokenise texts in a prepared process."""
    return ENCODER[0](texts)
