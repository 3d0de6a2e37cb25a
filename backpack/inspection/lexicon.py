"""Words as a vocabulary has them, and how its tokens are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backpack.inspection.words import Speller, check_backpack
from backpack.measuring import fitting_tokenizer
from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.text.readers.jsonl import encodable
from semeqv.text.tokenizers.spelling import CJK, spellings, tokens_by_id

INSIDE = "+"  # stands before a token that goes on with a word


@dataclass(frozen=True)
class TokenisedWord:
    """A word, and the tokens that it is made of.

    Args:
        text: The word.
        tokens: Their ids.
    """

    text: str
    tokens: tuple[int, ...]


class TokenLexicon:
    """The tokens of a model, spelled, and the words among them.

    Args:
        tokenizer: Of transformers.
        size: How many tokens the model has; those that the tokenizer lacks are shown by their number.
    """

    def __init__(self, tokenizer: Any, size: int):
        self.tokenizer, self.speller = tokenizer, Speller(tokenizer)
        self.spelled = {number: spelling for number, spelling in spellings(tokenizer).items() if number < size}
        self.by_spelling = {spelling: number for number, spelling in self.spelled.items()}
        names = tokens_by_id(tokenizer)[:size]
        self.shown = [shown(self.spelled[i]) if i in self.spelled else name or f"<{i}>" for i, name in enumerate(names)]
        self.shown += [f"<{number}>" for number in range(len(self.shown), size)]

    def find(self, text: str) -> TokenisedWord:
        """Look a word up as it is inside a text, after a blank.

        Args:
            text: The word; blanks around it do not matter.

        Returns:
            The word: one token where the vocabulary has it as it stands after a blank, else those that the tokenizer
            makes. Marks and ideographs stand without a blank, too.

        Raises:
            UserError: When it is empty, or has a token that the model lacks.
        """
        text = text.strip()
        if not text or not encodable(text):
            raise UserError("A word must not be empty, nor bytes that are no text.")
        bare = CJK.match(text) or not any(map(str.isalnum, text))
        for spelled in (f" {text}".encode(), *([text.encode()] if bare else [])):
            if spelled in self.by_spelling:
                return TokenisedWord(text, (self.by_spelling[spelled],))
        tokens = tuple(self.speller([text])[0])
        if any(each not in self.spelled for each in tokens):
            raise UserError(f"The vocabulary of the model has no tokens for {text!r}.")
        return TokenisedWord(text, tokens)

    def single(self, text: str) -> int:
        """Return the token of a word.

        Args:
            text: The word; `find` raises `UserError` when it is unknown.

        Returns:
            The token.

        Raises:
            UserError: When the word is several tokens.
        """
        tokens = self.find(text).tokens
        if len(tokens) > 1:
            parts = " ".join(self.shown[token] for token in tokens)
            raise UserError(f"{text!r} is {len(tokens)} tokens here ({parts}); name a word that is one token.")
        return tokens[0]

    def frequent(self, most: int, counts: NDArray[numpy.int64] | None = None) -> list[TokenisedWord]:
        """List the tokens that are words, the most frequent first.

        Args:
            most: So many; 0 for all.
            counts: How often each token occurs, `(tokens,)`. Without them the order is that of the vocabulary, which a
                tokenizer that merges begins with what is frequent.

        Returns:
            The words. A word that is written with and without a blank before it is there once, with it.
        """
        words: dict[str, TokenisedWord] = {}
        for number, spelled in sorted(self.spelled.items(), key=lambda item: not item[1].startswith(b" ")):
            text = spelled.decode(errors="ignore").removeprefix(" ")
            if any(map(str.isalpha, text)) and (spelled.startswith(b" ") or CJK.match(text)):
                words.setdefault(text, TokenisedWord(text, (number,)))

        def place(word: TokenisedWord) -> tuple[int, int]:
            (number,) = word.tokens
            return (0 if counts is None else -int(counts[number])), number

        return sorted(words.values(), key=place)[: most or None]


def shown(spelled: bytes) -> str:
    """Show a token to a reader.

    Args:
        spelled: Its bytes, a space first where it begins a word.

    Returns:
        A word or its beginning as it is, a piece of one with a plus before it, bytes that are no text as numbers, and
        what does not show by its name in Python.
    """
    try:
        text = spelled.decode()
    except UnicodeDecodeError:
        return "".join(f"<{byte:02X}>" for byte in spelled)
    bare = text.removeprefix(" ")
    if not bare.strip() or not bare.isprintable():
        return repr(text)
    return INSIDE * (text == bare and bare[0].isalnum() and not CJK.match(bare)) + bare


def open_lexicon(model: Any, tokenizer: Any = None) -> TokenLexicon:
    """Return the tokens of a Backpack.

    Args:
        model: The model; `check_backpack` raises `UserError` when it is something else.
        tokenizer: Its tokenizer; that of the model's folder if None. `UserError` when they do not belong together.

    Returns:
        The lexicon.
    """
    check_backpack(model)
    return TokenLexicon(fitting_tokenizer(model, tokenizer), model.config.vocab_size)


def token_counts(sets: Mapping[Any, Any] | None, size: int) -> NDArray[numpy.int64] | None:
    """Count how often tokens occur in data sets.

    Args:
        sets: By split and name; those that have no token files are not counted.
        size: Tokens that there are.

    Returns:
        `(size,)`; None without data.
    """
    parts = [numpy.bincount(each, minlength=size) for each in token_streams(sets)]
    return None if not parts else numpy.sum(parts, axis=0)[:size].astype(numpy.int64)


def token_streams(sets: Mapping[Any, Any] | None, most: int = 10_000_000) -> Sequence[NDArray[Any]]:
    """Return the tokens of data sets, `(tokens,)` for each language, the first so many of each."""
    parts = [part for each in (sets or {}).values() for part in getattr(each, "parts", [])]
    return [part.file.tokens[:most] for part in parts]
