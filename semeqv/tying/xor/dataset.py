"""The options of the parity data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import alias, check_bounds, component
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.tying.xor.samples import XorSamples, checked
from semeqv.tying.xor.split import Split

LONGEST = 24  # bits: all strings are held in memory


@component("xor dataset default")
@dataclass(frozen=True, kw_only=True)
class Default:
    """Bitstrings with their parity, one bit masked; several symbols may stand for one bit.

    The symbols are 0 and 1 for zero, 2 and 3 for one, 4 for even and 5 for odd parity, 6 for the mask. A sequence is
    `size` bits and the parity. Each time a bitstring is drawn, every bit takes one of its symbols and one bit is
    masked; the target is the symbol that stood there. Two symbols of a bit mean the same; if they are equally
    likely they also stand in the same contexts, so that the distributional hypothesis holds for them, else it fails.

    Which strings training sees decides whether a run learns. The usual ones are those of the study's original code: all
    but the string of only ones, shuffled by `random.Random(14)` and cut at 90% and 100%; of 7 bits, 114, 12 and 1.

    Args:
        size: Bits in a string.
        zero_dst: Probabilities of symbols 0 and 1 where the bit is zero.
        one_dst: Probabilities of symbols 2 and 3 where the bit is one.
        split_seed: Seed of the shuffle (Python's `random.Random`) that chooses the strings of each split. It belongs to
            the data and is the same in every run; what is sampled in training follows the run's own seed.
        batch_size: Strings in a batch.
        shuffle: Draw the training strings in a new order in every epoch.
        drop_last: Leave out the last batch of an epoch when it is smaller.
        split: Which part of the run reads it.
        name: Tells several sets of one split apart.
        draws: How often each string of a validation or test set is drawn.
        all_ones: Let the string of only ones take part; the study's original code left it out.
        held_out: Share of the strings that training does not see: as many are the validation set, what rounding leaves
            is the test set. With 0 every split has all strings, so that validation measures the training strings under
            new draws of symbols and masks, not generalisation.
        held_out_strings: Strings that training does not see, such as 0010110, in place of a share: the validation set.
    """

    retired: ClassVar[dict[str, str]] = {
        "--every_string": "It belongs to the shuffle of November 2026, by other random numbers (Philox), which this "
        "version does not repeat. Leave it out for the split of the study's original code, or write --all_ones True."
    }

    size: int = 10
    zero_dst: tuple[float, ...] = (1.0,)
    one_dst: tuple[float, ...] = (1.0,)
    split_seed: int = alias("seed", 14)
    batch_size: int = 100
    shuffle: bool = True
    drop_last: bool = True
    split: Literal["train", "validation", "test"] = "train"
    name: str | None = None
    draws: int = 1
    all_ones: bool = False
    held_out: float = 0.1
    held_out_strings: tuple[str, ...] = ()

    def __post_init__(self) -> None:

        checked("--zero_dst", self.zero_dst)
        checked("--one_dst", self.one_dst)
        check_bounds(self, size=(1, LONGEST), batch_size=1, draws=1, split_seed=0)
        if not 0 <= self.held_out < 1:
            raise ValueError(f"--held_out must be at least 0 and below 1, not {self.held_out:g}.")
        if self.draws > 1 and self.split == "train":
            raise ValueError("--draws is for sets that are drawn once, validation and test; training draws anew.")

    def build(self, dataset_options: Any = None) -> Any:
        """Make the data, if it shares no string with a training set of the sentence that divides them otherwise."""
        training = (dataset_options or {}).get(("train", None))
        if self.split != "train" and isinstance(training, Default):
            self.refuse_training_strings(training)
        return XorSamples(
            size=self.size,
            zero_distribution=self.zero_dst,
            one_distribution=self.one_dst,
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            drop_last=self.drop_last,
            split=self.split,
            draws=self.draws,
            **self.division,
        )

    @property
    def division(self) -> dict[str, Any]:
        """The options that divide the strings into splits."""
        names = ("split_seed", "all_ones", "held_out", "held_out_strings")
        return {name: getattr(self, name) for name in names}

    def refuse_training_strings(self, training: Default) -> None:
        """Refuse strings that a training set of another division has, too.

        Args:
            training: The options of the training set.

        Raises:
            UserError: When there are such strings.
        """
        if self.size != training.size or self.division == training.division:
            return
        own = Split(size=self.size, **self.division).strings(self.split)
        shared = numpy.isin(own, Split(size=self.size, **training.division).strings("train")).sum()
        if shared:
            raise UserError(
                f"{shared} of the {len(own)} {self.split} strings are training strings, for the two data sets divide "
                "them differently. Write the same --split_seed, --all_ones, --held_out and --held_out_strings in both."
            )
