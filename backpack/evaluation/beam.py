"""The words that a language model expects next, whole ones, by a beam over their tokens.

A word is a row of tokens of which the first begins a word, the others go on with it, and after which something else
follows: another word, a mark, the end of the text. Its probability is that of all three. A `'`, `’` or `-` by itself
may belong to the word or stand behind it, which what follows decides: with a letter the word goes on, with anything
else it has ended before the mark.
"""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semeqv.lazy import numpy, torch
from semeqv.tasks.likelihood.scoring import LOGITS
from semeqv.text.tokenizers.spelling import convention_of
from semeqv.train.compute import ComputeConfig

MARKS = ("'", "’", "-")  # what words may have between letters
BETWEEN = "['’-]"
JOINERS = "\u200c\u200d"  # no letters by their category, but parts of words in Persian and in scripts of India
WORD = re.compile(f"x+(?:{BETWEEN}x+)*")
BEGINNING = re.compile(f"{WORD.pattern}{BETWEEN}?")
CONTINUATION = re.compile(f"{BETWEEN}?{BEGINNING.pattern}|{BETWEEN}")


def shape(text: str) -> str:
    """Put an x in place of each letter, digit, and sign that combines with them."""
    return "".join("x" if unicodedata.category(each)[0] in "LMN" or each in JOINERS else each for each in text)


def is_word(text: str) -> bool:
    """Return whether a text is one word: letters and digits, and `'`, `’` or `-` singly between them."""
    return WORD.fullmatch(shape(text)) is not None


def first_word(text: str) -> str:
    """Return the longest word that a text begins with; empty when it begins with none."""
    match = WORD.match(shape(text))
    return text[: match.end()] if match else ""


def begins_word(text: str) -> bool:
    """Return whether a text is a word or the beginning of one, as `l'` is."""
    return BEGINNING.fullmatch(shape(text)) is not None


def continues_word(text: str) -> bool:
    """Return whether a text may continue a word that ends in a letter so far: `s`, `'s`, `-`, `n-to`, but not `'.`."""
    return CONTINUATION.fullmatch(shape(text)) is not None


MARK_BYTES = tuple(mark.encode() for mark in MARKS)


@dataclass(frozen=True)
class TokenKinds:
    """What tokens do to a word.

    Args:
        begins: `(vocabulary,)`, behind a space.
        goes_on: `(vocabulary,)`, with a word that ends in a letter so far.
        after_mark: `(vocabulary,)`, with a word that ends in a mark so far.
        spelled: The bytes of each token.
    """

    begins: torch.Tensor
    goes_on: torch.Tensor
    after_mark: torch.Tensor
    spelled: list[bytes]


def kinds_of(tokenizer: Any, rows: int) -> TokenKinds:
    """Sort the tokens of a vocabulary.

    Args:
        tokenizer: A fast tokenizer.
        rows: How many tokens the model has; those without a spelling, and special ones, end words.

    Returns:
        The kinds. Of a token that is a part of a character, the first byte decides.
    """
    vocabulary = tokenizer.get_vocab()
    convention, special = convention_of(vocabulary), set(tokenizer.all_special_ids)
    begins, goes_on, after_mark = torch.zeros(3, rows, dtype=torch.bool)
    spelled = [b""] * rows
    for token, place in vocabulary.items():
        if place in special or place >= rows:
            continue
        spelling = spelled[place] = convention.spelled(token)
        blank, inner = spelling[:1] == b" ", spelling.removeprefix(b" ")
        try:
            text = inner.decode()
        except UnicodeDecodeError:
            begins[place] = blank and wordlike(inner[:1])
            after_mark[place] = not blank and wordlike(inner[:1])
            goes_on[place] = after_mark[place] or spelling.startswith(MARK_BYTES)
            continue
        begins[place] = blank and begins_word(text)
        goes_on[place] = not blank and continues_word(text)
        after_mark[place] = goes_on[place] and not text.startswith(MARKS)
    return TokenKinds(begins, goes_on, after_mark, spelled)


def wordlike(byte: bytes) -> bool:
    """Return whether a byte is a letter, a digit, or a part of a character beyond ASCII."""
    return byte.isalnum() or byte >= b"\x80"


class WordBeam:
    """A beam search for the most probable next words.

    Args:
        model: Predicts the next token, within `inference`.
        regime: Where it is.
        kinds: Of its tokens.
        width: Beginnings of words to keep.
        longest: The most tokens of a word.
    """

    def __init__(self, model: Any, regime: ComputeConfig, kinds: TokenKinds, width: int = 3, longest: int = 8):
        self.model, self.regime, self.kinds, self.width, self.longest = model, regime, kinds, width, longest
        self.keeps = "logits_to_keep" in inspect.signature(getattr(model, "forward", model)).parameters

    def __call__(self, contexts: Sequence[list[int]]) -> list[list[tuple[str, float]]]:
        """Look for the words that follow some texts.

        Args:
            contexts: The tokens of each text, one at least.

        Returns:
            For each text up to `width` words, the most probable first, with the logarithms of their probabilities.
        """
        live: list[list[tuple[float, list[int]]]] = [[(0.0, [])] for _ in contexts]
        done: list[dict[str, float]] = [{} for _ in contexts]
        for step in range(self.longest + 1):
            rows = [(text, score, tokens) for text, beginnings in enumerate(live) for score, tokens in beginnings]
            if not rows:
                break
            expected = self.next_tokens([contexts[text] + tokens for text, _, tokens in rows])
            goes_on = self.goes_on([tokens for _, _, tokens in rows])
            ends = torch.logsumexp(expected.masked_fill(goes_on, -torch.inf), -1).tolist()
            best = expected.masked_fill(~goes_on, -torch.inf).topk(min(self.width, expected.shape[-1]))
            live = [[] for _ in contexts]
            for row, (text, score, tokens) in enumerate(rows):
                if tokens:
                    self.finish(done[text], tokens, score + ends[row])
                if step < self.longest:
                    following = zip(best.values[row].tolist(), best.indices[row].tolist())
                    live[text] += [(score + more, [*tokens, token]) for more, token in following if more > -torch.inf]
            live = [self.most_probable(beginnings, done[text]) for text, beginnings in enumerate(live)]
        return [sorted(words.items(), key=lambda word: -word[1])[: self.width] for words in done]

    def goes_on(self, words: Sequence[list[int]]) -> torch.Tensor:
        """Return the tokens that may follow beginnings of words as parts of them, `(words, vocabulary)`."""
        kinds = self.kinds
        after = [kinds.after_mark if self.spelled(word).endswith(MARK_BYTES) else kinds.goes_on for word in words]
        return torch.stack([each if word else kinds.begins for word, each in zip(words, after)])

    def spelled(self, tokens: Sequence[int]) -> bytes:
        """Return the bytes of tokens."""
        return b"".join(self.kinds.spelled[token] for token in tokens)

    def most_probable(
        self, live: list[tuple[float, list[int]]], done: dict[str, float]
    ) -> list[tuple[float, list[int]]]:
        """Return the most probable beginnings, without those that can no longer be among the most probable words."""
        enough = sorted(done.values(), reverse=True)[: self.width]
        least = enough[-1] if len(enough) == self.width else -float("inf")
        return sorted((each for each in live if each[0] > least), key=lambda each: -each[0])[: self.width]

    def finish(self, words: dict[str, float], tokens: list[int], score: float) -> None:
        """Add a word, without the mark that it may end in; probabilities of all ways to write one add up."""
        word = first_word(self.spelled(tokens).decode("utf-8", errors="replace").strip())
        if word:
            words[word] = float(numpy.logaddexp(score, words.get(word, -numpy.inf)))

    def next_tokens(self, rows: Sequence[list[int]]) -> torch.Tensor:
        """Return the logarithms of the probabilities of what follows each row, `(rows, vocabulary)`, on the CPU."""
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        real = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        positions, last = torch.unique(torch.tensor([len(row) - 1 for row in rows]), return_inverse=True)
        wanted = {"logits_to_keep": self.regime.place({"positions": positions})["positions"]} if self.keeps else {}
        if not self.keeps:
            last = positions[last]
        few = max(LOGITS // ((len(positions) if self.keeps else longest) * len(self.kinds.spelled)), 1)
        expected = []
        for some in (slice(start, start + few) for start in range(0, len(rows), few)):
            batch = self.regime.place({"input_ids": ids[some], "attention_mask": real[some]})
            logits = self.model(**batch, **wanted)["logits"]
            at = last[some].to(logits.device)
            expected.append(logits[torch.arange(len(at), device=logits.device), at].float().log_softmax(-1).cpu())
        return torch.cat(expected)
