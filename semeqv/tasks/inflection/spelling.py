"""Forms of lemmas, as tokens, and tokens as forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from semeqv.runs.errors import UserError
from semeqv.tasks.prompting.spelling import begin_of
from semeqv.text.tokenizers.encoding import encode

MARK = "="  # stands between features, lemma and form
UNKNOWN = "\ufffd"


class Form(NamedTuple):
    """A form of a lemma.

    Args:
        lemma: The lemma.
        form: The form.
        features: What it is the form for: `V;PST`.
    """

    lemma: str
    form: str
    features: str


def lemmas_of(forms: Iterable[Form]) -> list[str]:
    """Return the lemma of each form."""
    return [form.lemma for form in forms]


@dataclass(frozen=True)
class CharacterSpelling:
    """How a tokenizer spells forms: each character in the tokens that it has by itself.

    Args:
        begin: What stands before every row.
        mark: What stands between its parts.
        end: The token that ends a form.
        characters: The tokens of each character.
        features: Those of each set of features.
    """

    begin: tuple[int, ...]
    mark: tuple[int, ...]
    end: int
    characters: dict[str, tuple[int, ...]]
    features: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, tokenizer: Any, words: Iterable[str], features: Iterable[str]) -> CharacterSpelling:
        """Return the spelling of a tokenizer.

        Args:
            tokenizer: A fast tokenizer of transformers.
            words: Words whose characters there are.
            features: Sets of features, `V;PST`.

        Returns:
            The spelling.

        Raises:
            UserError: When the tokenizer has no token to end a text with.
        """
        end = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
        if end is None:
            raise UserError(
                "The tokenizer has no token that ends a text, so that no form would ever end; take another."
            )
        letters, sets = sorted(set("".join(words))), sorted(set(features))
        tokens = encode(tokenizer, [MARK, *letters, *(each.replace(";", " ") for each in sets)])
        mark, *rest = map(tuple, tokens)
        known = dict(zip(letters, rest))
        return cls(begin_of(tokenizer), mark, int(end), known, dict(zip(sets, rest[len(letters) :])))

    def prompt(self, lemma: str, features: str) -> list[int]:
        """Return what the model reads of a form."""
        return [*self.begin, *self.features[features], *self.mark, *self.spelled(lemma), *self.mark]

    def spelled(self, word: str) -> list[int]:
        """Return the tokens of a word's characters."""
        return [token for letter in word for token in self.characters[letter]]

    def read(self, tokens: Sequence[int]) -> str:
        """Return the word that some tokens spell, up to the one that ends it; what spells no character is U+FFFD."""
        spelled = {each: letter for letter, each in reversed(self.characters.items()) if each}
        longest = max(map(len, spelled), default=1)
        ends = list(tokens).index(self.end) if self.end in tokens else len(tokens)
        word, place = "", 0
        while place < ends:
            for size in range(min(longest, ends - place), 0, -1):
                if (letter := spelled.get(tuple(tokens[place : place + size]))) is not None:
                    break
            else:
                letter, size = UNKNOWN, 1
            word, place = word + letter, place + size
        return word
