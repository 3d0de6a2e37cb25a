"""The options of the data of a hypernetwork."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.engine.component import check_bounds, component


@component("ofa dataset mapping")
@dataclass(frozen=True, kw_only=True)
class MappingDataset:
    """Subwords of the old vocabulary as sets of word vectors, with their coordinates (HyperOFA, step 2).

    97% of the subwords that are part of a word are trained on, 2.5% validate, .5% test.

    Args:
        mapping: The folder that `cli ofa mapping` has written.
        split: Which part of the run reads it.
        name: Tells several sets of one split apart.
        seed: Of the split into parts, the same in every run.
        batch_size: Subwords in a batch.
        most_words: Words of a subword at most; of more, some are drawn.
        augment: In training, leave out up to half of the words of every other subword that has more than four.
    """

    mapping: Path
    split: Literal["train", "validation", "test"] = "train"
    name: str | None = None
    seed: int = 14
    batch_size: int = 256
    most_words: int = 256
    augment: bool = True

    def __post_init__(self) -> None:
        check_bounds(self, batch_size=1, most_words=1, seed=0)

    def build(self) -> Any:
        """The data; `UserError` is raised when there is no mapping."""
        from ofa.hypernetwork.batches import SubwordBatches
        from ofa.hypernetwork.folder import read_folder, split_of

        folder = read_folder(self.mapping)
        subwords = split_of(folder.trained, self.split, self.seed)
        facts = {"mapping": folder.facts, "subwords": len(subwords), "split seed": self.seed}
        return SubwordBatches(
            folder,
            subwords,
            rows=self.batch_size,
            most_words=self.most_words,
            augment=self.augment,
            facts=facts,
        )
