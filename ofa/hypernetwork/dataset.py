"""The options of the data of a hypernetwork."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from ofa.hypernetwork.config_file import NETWORK, TRAINING, fill
from semeqv.grammar.component import check_bounds, component

UNSAID: Any = None  # an option that the configuration file, else the usual value, decides


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
        batch_size: Subwords in a batch; 256 if left out, where the file does not say it either.
        most_words: Words of a subword at most; of more, some are drawn. 256 if left out so.
        augment: In training, leave out some of the words of some subwords.
        augment_above: Only of subwords that have more words than this; 4 if left out so.
        augment_least: The share of the words that is kept at least; .5 if left out so.
        augment_most: The share that is kept at most; 1 if left out so.
        augment_probability: Of leaving out words of a subword; .5 if left out so (`augmentation_keep_all_percentage`,
            which is this probability in HyperOFA's code).
        hypernetwork_config_path: A YAML file of HyperOFA, for what is left out.
    """

    names: ClassVar[dict[str, tuple[str, str]]] = {
        "batch_size": (TRAINING, "batch_size"),
        "most_words": (NETWORK, "max_context_size"),
        "augment_above": (TRAINING, "augmentation_threshold"),
        "augment_least": (TRAINING, "augmentation_min_percentage"),
        "augment_most": (TRAINING, "augmentation_max_percentage"),
        "augment_probability": (TRAINING, "augmentation_keep_all_percentage"),
    }

    mapping: Path
    split: Literal["train", "validation", "test"] = "train"
    name: str | None = None
    seed: int = 14
    batch_size: int = UNSAID
    most_words: int = UNSAID
    augment: bool = True
    augment_above: int = UNSAID
    augment_least: float = UNSAID
    augment_most: float = UNSAID
    augment_probability: float = UNSAID
    hypernetwork_config_path: Path | None = None

    def __post_init__(self) -> None:
        usual = {"batch_size": 256, "most_words": 256, "augment_above": 4}
        fill(self, self.names, usual | {"augment_least": 0.5, "augment_most": 1.0, "augment_probability": 0.5})
        check_bounds(self, batch_size=1, most_words=1, seed=0, augment_above=0)
        check_bounds(self, augment_least=(0, 1), augment_most=(self.augment_least, 1), augment_probability=(0, 1))

    def build(self) -> Any:
        """The data; `UserError` is raised when there is no mapping."""
        from ofa.hypernetwork.batches import Leaving, SubwordBatches
        from ofa.hypernetwork.folder import read_folder, split_of

        folder = read_folder(self.mapping)
        subwords = split_of(folder.trained, self.split, self.seed)
        facts = {"mapping": folder.facts, "subwords": len(subwords), "split seed": self.seed}
        return SubwordBatches(
            folder,
            subwords,
            rows=self.batch_size,
            most_words=self.most_words,
            leaving=Leaving(self.augment_above, self.augment_least, self.augment_most, self.augment_probability)
            if self.augment
            else None,
            facts=facts,
        )
