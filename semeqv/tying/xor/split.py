"""Which strings training sees, and which are kept for validation and test."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Split:
    """How the strings of bits are divided into train, validation and test.

    A string is a number, its most significant bit first. The default is the division of the study's original code
    (Semantica): all strings but the one of only ones, shuffled by Python's `random.Random(14)`, and cut at nine and at
    ten tenths, rounded down. Of 7 bits these are 114, 12 and 1.

    Args:
        size: Bits in a string.
        split_seed: Seed of the shuffle.
        all_ones: Whether the string of only ones takes part.
        held_out: Share of the strings that is kept from training; 0 gives every part all strings.
        held_out_strings: Strings to keep from training, as texts of 0 and 1, in place of a share.
    """

    size: int = 10
    split_seed: int = 14
    all_ones: bool = False
    held_out: float = 0.1
    held_out_strings: Sequence[str] = ()

    def strings(self, part: str) -> NDArray[numpy.int64]:
        """Return the strings of a part, in the order of the shuffle.

        Args:
            part: train, validation or test.

        Returns:
            `(strings,)`, their numbers.

        Raises:
            UserError: When the part has none, or a string to hold out is no string of this size.
        """
        numbers = shuffled(2**self.size - (not self.all_ones), self.split_seed)
        if self.held_out_strings:
            kept = self.numbers()
            parts = {"train": numbers[~numpy.isin(numbers, kept)], "validation": kept}
        elif self.held_out:
            train, validation = int((1 - self.held_out) * len(numbers)), int(self.held_out * len(numbers))
            cuts = numpy.split(numbers, [train, train + validation])
            parts = dict(zip(("train", "validation", "test"), cuts))
        else:
            parts = dict.fromkeys(("train", "validation", "test"), numbers)
        chosen: NDArray[numpy.int64] = parts.get(part, numbers[:0])
        if not len(chosen):
            hint = "Hold out a share (--held_out)" if self.held_out_strings else "Write another --size or --held_out"
            count = f"{len(numbers)} string{'s' * (len(numbers) != 1)}"
            raise UserError(f"The {part} split of {count} is empty. {hint}.")
        return chosen

    def numbers(self) -> NDArray[numpy.int64]:
        """Return the numbers of `held_out_strings`; `UserError` when one is no string of this size, or given twice."""
        for text in self.held_out_strings:
            if len(text) != self.size or set(text) - set("01"):
                example = "01" * self.size
                raise UserError(
                    f"--held_out_strings {text}: write strings of {self.size} bits, such as {example[: self.size]}."
                )
        if len(set(self.held_out_strings)) < len(self.held_out_strings):
            raise UserError("--held_out_strings names a string twice.")
        return numpy.array([int(text, 2) for text in self.held_out_strings])

    def facts(self) -> dict[str, Any]:
        """Say what the strings of training are, as JSON can hold it."""
        kept: dict[str, Any] = {"held_out": self.held_out}
        if self.held_out_strings:
            kept = {"held_out_strings": list(self.held_out_strings)}
        return {
            "train": len(self.strings("train")),
            "of": 2**self.size,
            "shuffle": "random.Random",
            "split_seed": self.split_seed,
            "all_ones": self.all_ones,
            **kept,
        }


@lru_cache(maxsize=1)  # train, validation and test of a run have the same
def shuffled(count: int, seed: int) -> NDArray[numpy.int64]:
    """Return the numbers below a count as `random.Random(seed).shuffle` orders them; not to be changed."""
    numbers = array("q", range(count))  # shuffled as a list would be, in a fifth of the memory
    random.Random(seed).shuffle(numbers)  # type: ignore[arg-type]
    found = numpy.array(numbers)
    found.setflags(write=False)
    return found
