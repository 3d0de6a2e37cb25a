"""The options of the parity data."""

from dataclasses import dataclass
from typing import Any, Literal

from semeqv.engine.component import check_bounds, component

LONGEST = 24  # bits: all strings are held in memory


@component("xor dataset default")
@dataclass(frozen=True, kw_only=True)
class Default:
    """Bitstrings with their parity, one bit masked; several symbols may stand for one bit.

    The symbols are 0 and 1 for zero, 2 and 3 for one, 4 for even and 5 for odd parity, 6 for the mask. A sequence is
    `size` bits and the parity. Each time a bitstring is drawn, every bit takes one of its symbols and one bit is
    masked; the target is the symbol that stood there. Two symbols of a bit mean the same; if they are equally
    likely they also stand in the same contexts, so that the distributional hypothesis holds for them, else it fails.

    Args:
        size: Bits in a string.
        zero_dst: Probabilities of symbols 0 and 1 where the bit is zero.
        one_dst: Probabilities of symbols 2 and 3 where the bit is one.
        seed: Seed of the split into train (90%), validation (10%) and test (the rest), the same in every run; what is
            sampled in training follows the run's own seed.
        batch_size: Strings in a batch.
        shuffle: Draw the training strings in a new order in every epoch.
        drop_last: Leave out the last batch of an epoch when it is smaller.
        split: Which part of the run reads it.
        name: Tells several sets of one split apart.
        draws: How often each string of a validation or test set is drawn.
        every_string: Use all strings; without it the one of only ones is left out, as in the study's first code.
    """

    size: int = 10
    zero_dst: tuple[float, ...] = (1.0,)
    one_dst: tuple[float, ...] = (1.0,)
    seed: int = 14
    batch_size: int = 100
    shuffle: bool = True
    drop_last: bool = True
    split: Literal["train", "validation", "test"] = "train"
    name: str | None = None
    draws: int = 1
    every_string: bool = True

    def __post_init__(self) -> None:
        from semeqv.problem.xor.datasets.distribution import checked

        checked("--zero_dst", self.zero_dst)
        checked("--one_dst", self.one_dst)
        check_bounds(self, size=(1, LONGEST), batch_size=1, draws=1, seed=0)
        if self.draws > 1 and self.split == "train":
            raise ValueError("--draws is for sets that are drawn once, validation and test; training draws anew.")

    def build(self) -> Any:
        """The data."""
        from semeqv.problem.xor.datasets.samples import XorSamples

        return XorSamples(
            size=self.size,
            zero_distribution=self.zero_dst,
            one_distribution=self.one_dst,
            seed=self.seed,
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            drop_last=self.drop_last,
            split=self.split,
            draws=self.draws,
            every_string=self.every_string,
        )
