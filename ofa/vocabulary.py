"""A vocabulary as the methods see it, and the tokens that two vocabularies share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from semeqv.lazy import Integers, NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.text.tokenizers.spelling import BYTE, SENTENCE_PIECE, Convention, convention_of, rows_needed, spellings

# What one token stands in for the other as, in the order of preference.
ROLES = {
    "cls_token_id": ("cls_token_id", "bos_token_id"),
    "eos_token_id": ("eos_token_id", "sep_token_id"),
    "sep_token_id": ("sep_token_id", "eos_token_id"),
    "pad_token_id": ("pad_token_id",),
    "unk_token_id": ("unk_token_id",),
    "mask_token_id": ("mask_token_id",),
    "bos_token_id": ("bos_token_id", "cls_token_id", "eos_token_id"),  # the last: often also another role's
}


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer, and the rows of the embedding that belongs to it.

    A token that was added to the tokenizer alone, and has no row, is none of the vocabulary; see `without_row`.

    Args:
        tokenizer: A fast tokenizer of transformers.
        rows: Of the embedding: at least as many as there are tokens, more where it is padded.
    """

    tokenizer: Any
    rows: int

    def __post_init__(self) -> None:
        if not getattr(self.tokenizer, "is_fast", False):
            raise UserError("The tokenizer is of a kind that has no tokenizer.json; convert it to one.")
        own = max(self.tokenizer.backend_tokenizer.get_vocab(with_added_tokens=False).values(), default=-1) + 1
        if own > self.rows:
            raise UserError(
                f"The tokenizer has {own:,} tokens, the embedding {self.rows:,} rows; take the tokenizer that "
                "belongs to the model."
            )

    @property
    def size(self) -> int:
        """Return the rows that the tokens need: the highest id and one."""
        return rows_needed(self.tokenizer)

    @cached_property
    def used(self) -> NDArray[numpy.bool_]:
        """`(rows,)`, those that belong to a token."""
        used = numpy.zeros(self.rows, bool)
        used[list(self.tokens)] = True
        return used

    @cached_property
    def without_row(self) -> list[str]:
        """Return the tokens that were added to the tokenizer and not to the model, in the order of their ids."""
        ordered = sorted(self.tokenizer.get_vocab().items(), key=lambda item: item[1])
        return [token for token, number in ordered if number >= self.rows]

    @cached_property
    def spellings(self) -> dict[int, bytes]:
        """Return the bytes that each token stands for, by id in its order; see `semeqv.text.tokenizers.spelling`."""
        return {number: spelled for number, spelled in spellings(self.tokenizer).items() if number < self.rows}

    @cached_property
    def tokens(self) -> dict[int, str]:
        """Return the tokens by id, as the tokenizer writes them."""
        return {number: token for token, number in self.tokenizer.get_vocab().items() if number < self.rows}

    @cached_property
    def convention(self) -> Convention:
        """Return how words are marked."""
        return convention_of(self.tokenizer.get_vocab())

    def is_byte(self, number: int) -> bool:
        """Return whether a token is a byte that stands in for what the vocabulary lacks, `<0x41>` of SentencePiece."""
        return self.convention == SENTENCE_PIECE and BYTE.fullmatch(self.tokens[number]) is not None


def vocabulary_hash(tokenizer: Any) -> str:
    """Hash the tokens of a tokenizer and their ids: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(sorted(tokenizer.get_vocab().items())).encode()).hexdigest()


def shared(source: Vocabulary, target: Vocabulary, ignore_case: bool = True) -> tuple[Integers, Integers]:
    """Find the tokens of the target that the source has too.

    Special tokens are those with the same role. Others are those that are written the same, where both vocabularies
    mark words alike; then those that stand for the same bytes, whatever marks words; then those that do but for case.
    Where several tokens of the source stand for the same bytes, it is the first; where several differ in case, the last
    in the order of characters, as in OFA's code: ` dog`, not ` DOG`. In either case a byte to fall back to (`<0x41>`)
    comes after all others, for it is hardly trained where there is a token for the letter. A vocabulary shares every
    token with itself.

    Args:
        source: The old vocabulary.
        target: The new one.
        ignore_case: Whether case may differ.

    Returns:
        Ids of the target, rising, and of the source, `(shared,)` each.
    """
    matches = roles(source, target)
    special = {token: number for number, token in source.tokens.items() if number not in source.spellings}
    for number, token in target.tokens.items():
        if number not in target.spellings and number not in matches and token in special:
            matches[number] = special[token]
    written = {source.tokens[number]: number for number in source.spellings}
    written = written if source.convention == target.convention else {}
    exact: dict[bytes, int] = {}
    for number in sorted(source.spellings, key=source.is_byte):
        exact.setdefault(source.spellings[number], number)
    bytes_first = sorted(exact.items(), key=lambda item: (not source.is_byte(item[1]), item[0]))
    folded = {fold(spelled): number for spelled, number in bytes_first if ignore_case}
    for number, spelled in target.spellings.items():
        match = written.get(target.tokens[number], exact.get(spelled))
        if match is None and ignore_case and (text := fold(spelled)) is not None:
            match = folded.get(text)
        if match is not None:
            matches[number] = match
    ids = numpy.array(sorted(matches), numpy.int64)
    return ids, numpy.array([matches[number] for number in ids.tolist()], numpy.int64)


def fold(spelled: bytes) -> str | None:
    """Write a token in small letters, which ß and ss are two of; None when it is no text."""
    try:
        return spelled.decode().lower()
    except UnicodeDecodeError:
        return None


def roles(source: Vocabulary, target: Vocabulary) -> dict[int, int]:
    """Find the special tokens of the target that have the role of one of the source."""
    matches: dict[int, int] = {}
    for role, stand_ins in ROLES.items():
        number = getattr(target.tokenizer, role, None)
        same = next(
            (each for name in stand_ins if (each := getattr(source.tokenizer, name, None)) in source.tokens), None
        )
        if number is not None and same is not None:
            matches.setdefault(number, same)
    return matches
