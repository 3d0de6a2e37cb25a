"""Tokens that are equivalent by their spelling, and random pairs like them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.text.tokenizers.spelling import BYTE_LEVEL, Convention, byte_level, convention_of


@dataclass(frozen=True)
class Form:
    """A token as it is written.

    Args:
        text: Its letters.
        whole: Whether it can be a whole word, or at least begin (or end) one.
    """

    text: str
    whole: bool

    @property
    def shape(self) -> tuple[bool, bool, bool]:
        """What it has in common with all tokens that are written the same way: its mark, and its case."""
        return self.whole, self.text.islower(), self.text.isupper()


def forms_of(tokenizer: Any, size: int, shortest: int) -> tuple[dict[Form, int], Convention]:
    """The tokens of letters in a vocabulary.

    Args:
        tokenizer: A tokenizer of transformers.
        size: Rows of the embedding; tokens beyond it are left out.
        shortest: The fewest letters.

    Returns:
        Form to id, the lowest id where several tokens have one form; and the convention of the vocabulary.

    Raises:
        UserError: When there are hardly any.
    """
    tokens = tokenizer.get_vocab()
    convention = convention_of(tokens)
    special = set(tokenizer.all_special_ids)
    forms: dict[Form, int] = {}
    for token, number in sorted(tokens.items(), key=lambda item: item[1]):
        text, marked = convention.split(token)
        if convention == BYTE_LEVEL:
            text = (byte_level(text) or b"").decode("utf-8", "replace")
        if len(text) >= shortest and text.isalpha() and number < size and number not in special:
            forms.setdefault(Form(text, marked == convention.whole), number)
    if len(forms) < 10:
        raise UserError(
            f"The tokenizer has only {len(forms)} tokens of {shortest} letters or more; nothing to compare."
        )
    return forms, convention


VOWELS = "aeiouy"
SUFFIXES = ("s", "ed", "ing")


@dataclass(frozen=True)
class Pair:
    """Two equivalent tokens, and the one that stands for the second in the random pair."""

    kind: str
    first: Form
    second: Form
    random: Form


def equivalents(forms: dict[Form, int], variant: str) -> Iterator[tuple[str, Form, Form]]:
    """Find the equivalent tokens of a vocabulary.

    Args:
        forms: Form to id.
        variant: What to call two tokens of the same letters, one that begins a word and one that does not.

    Yields:
        The kind of equivalence, the simpler token and the other.
    """
    for form in forms:
        if form.text.islower():
            for text in dict.fromkeys((form.text.capitalize(), form.text.upper())):
                if (other := Form(text, form.whole)) in forms and other != form:
                    yield "case", form, other
        if form.whole and (other := Form(form.text, False)) in forms:
            yield variant, form, other
        if form.whole and form.text.islower() and form.text.isascii() and any(v in form.text for v in VOWELS):
            for suffix in SUFFIXES:
                for text in inflected(form.text, suffix):
                    if (other := Form(text, True)) in forms:
                        yield f"-{suffix}", form, other


def inflected(word: str, suffix: str) -> list[str]:
    """The ways in which an English word may be written with a suffix.

    Args:
        word: Lower-case letters, at least one of them a vowel.
        suffix: `s`, `ed` or `ing`.

    Returns:
        One spelling, or two where the last letter may be doubled (planned, opened).
    """
    last, before = word[-1], word[-2:-1]
    after_consonant = before not in ("", *"aeiou")
    if suffix == "s":
        if last == "y" and after_consonant:
            return [word[:-1] + "ies"]
        return [word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")]
    if last == "e":
        return [word + "d"] if suffix == "ed" else [] if before in ("e", "y", "o") else [word[:-1] + "ing"]
    if suffix == "ed" and last == "y" and after_consonant:
        return [word[:-1] + "ied"]
    doubled = last not in "aeiouwxy" and before in tuple("aeiou") and word[-3:-2] not in tuple("aeiou")
    return [word + suffix, word + last + suffix] if doubled else [word + suffix]


def with_random(
    forms: dict[Form, int], found: Iterator[tuple[str, Form, Form]], neighbours: int, generator: numpy.random.Generator
) -> list[Pair]:
    """Give every equivalent pair a random one like it.

    Args:
        forms: Form to id.
        found: What `equivalents` yields.
        neighbours: Draw from so many tokens that are written like the second and nearest to it in id.
        generator: What draws.

    Returns:
        The pairs. One for which there is no other token of the kind is left out.
    """
    triples = list(found)
    related: dict[Form, set[Form]] = {}
    for _, first, second in triples:
        related.setdefault(first, {first}).add(second)
        related.setdefault(second, {second}).add(first)
    alike: dict[tuple[bool, bool, bool], list[tuple[int, Form]]] = {}
    for form, number in forms.items():
        alike.setdefault(form.shape, []).append((number, form))
    for group in alike.values():
        group.sort(key=lambda item: item[0])
    numbers = {shape: [number for number, _ in group] for shape, group in alike.items()}
    pairs = []
    for kind, first, second in triples:
        group = alike[second.shape]
        place = bisect_left(numbers[second.shape], forms[second])
        start = max(min(place - neighbours // 2, len(group) - neighbours - 1), 0)
        near = [form for _, form in group[start : start + neighbours + 1]]
        near = [form for form in near if form not in related[first] and not same_word(form, first)]
        if near:
            pairs.append(Pair(kind, first, second, near[int(generator.integers(len(near)))]))
    return pairs


def same_word(one: Form, other: Form) -> bool:
    """Whether two tokens have the same letters, whatever their case."""
    return one.text.casefold() == other.text.casefold()
