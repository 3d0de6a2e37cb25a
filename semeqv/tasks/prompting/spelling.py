"""Prompts and answers as tokens."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.text.tokenizers.encoding import first_token, literal, surroundings

ANCHOR = "="  # stands before an answer while it is encoded, so that it is one that goes on


def begin_of(tokenizer: Any) -> tuple[int, ...]:
    """Return what stands before the texts of a causal model: what its tokenizer puts there, else its first token."""
    return tuple(surroundings(tokenizer)[0]) or (first_token(tokenizer, masked=False),)


@dataclass(frozen=True)
class Prompt:
    """A prompt as tokens.

    Args:
        tokens: What the model reads, the token that begins a text included.
        lost: How many tokens of its fields were left out.
    """

    tokens: list[int]
    lost: int


class Spelling:
    """How a tokenizer writes prompts and answers.

    Args:
        tokenizer: A fast tokenizer of transformers.
        template: Text with fields in braces.

    Raises:
        UserError: When the tokenizer has no token to end a text with.
    """

    def __init__(self, tokenizer: Any, template: str):
        end = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
        if end is None:
            raise UserError(
                "The tokenizer has no token that ends a text, so that no answer would ever end; take another."
            )
        self.tokenizer, self.template, self.end = tokenizer, template, int(end)
        self.begin = begin_of(tokenizer)

    def prompts(
        self, rows: Sequence[Mapping[str, str]], room: Sequence[int], most: Mapping[str, int], kept: Sequence[str] = ()
    ) -> list[Prompt]:
        """Write prompts.

        Args:
            rows: The fields of each.
            room: The most tokens of each.
            most: The most tokens of some fields, by name.
            kept: The fields that are never made shorter to find room; of the others, the longest loses its end.

        Returns:
            The prompts. Where what may not be left out does not fit, a prompt is longer than its room.
        """
        written = [self.written(row) for row in rows]
        encodings = literal(self.tokenizer).encode_batch([text for text, _ in written], add_special_tokens=False)
        prompts = list[Prompt]()
        for encoding, (_, spans), size in zip(encodings, written, room):
            ids, places = numpy.array(encoding.ids, int), numpy.array(encoding.offsets, int).reshape(-1, 2)
            inside = {
                name: numpy.flatnonzero((places[:, 0] >= start) & (places[:, 1] <= finish)).tolist()
                for name, (start, finish) in spans.items()
            }
            keep = numpy.ones(len(ids), bool)
            for name, limit in most.items():
                keep[inside[name][limit:]] = False
                del inside[name][limit:]
            left = [tokens for name, tokens in inside.items() if name not in kept]
            for _ in range(len(self.begin) + int(keep.sum()) - size):
                longest = max(left, key=len, default=None)
                if not longest:
                    break
                keep[longest.pop()] = False
            prompts.append(Prompt([*self.begin, *ids[keep].tolist()], int((~keep).sum())))
        return prompts

    def written(self, row: Mapping[str, str]) -> tuple[str, dict[str, tuple[int, int]]]:
        """Return the text of a prompt, and where each field begins and ends in it, in characters."""
        text, spans = "", dict[str, tuple[int, int]]()
        for before, name, _, _ in string.Formatter().parse(self.template):
            text += before
            if name is not None:
                spans[name] = len(text), len(text) + len(row[name])
                text += row[name]
        return text, spans

    def continued(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the tokens of texts that go on from others, behind a blank."""
        encodings = literal(self.tokenizer).encode_batch(
            [f"{ANCHOR} {text}" for text in texts], add_special_tokens=False
        )
        return [
            tuple(token for token, (start, _) in zip(each.ids, each.offsets) if start >= len(ANCHOR))
            for each in encodings
        ]

    def read(self, tokens: Sequence[int]) -> str:
        """Return the text of an answer."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True)).strip()

    def labels(self, names: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the tokens of labels.

        Args:
            names: The labels.

        Returns:
            Those of each, at least one.

        Raises:
            UserError: When two are written alike, or one in no token.
        """
        labels = self.continued(names)
        known = dict[tuple[int, ...], str]()
        for name, tokens in zip(names, labels):
            if not tokens or tokens in known:
                other = f"as {known[tokens]!r:.40}" if tokens else "as nothing"
                raise UserError(f"The tokenizer writes the label {name!r:.40} {other}; take another tokenizer.")
            known[tokens] = name
        return labels


def check_fits(prompts: Sequence[Prompt], room: Sequence[int], split: str) -> None:
    """Refuse prompts that are too long even without what may be left out.

    Args:
        prompts: The prompts.
        room: The most tokens of each.
        split: Which part of the data they are of, for the message.

    Raises:
        UserError: When one is longer.
    """
    for prompt, size in zip(prompts, room):
        if len(prompt.tokens) > size:
            raise UserError(
                f"A prompt of the {split} set takes {len(prompt.tokens)} tokens without the text that may be "
                f"left out, and {max(size, 0)} are left beside its answer; raise --max_length where "
                "the model reads more, or shorten --template."
            )
