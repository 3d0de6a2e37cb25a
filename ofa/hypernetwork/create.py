"""Step 1 of HyperOFA as an action: the data that a hypernetwork is trained on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from semeqv.grammar.component import check_bounds, component


@component("ofa mapping")
@dataclass(frozen=True, kw_only=True)
class CreateMapping:
    """Map the subwords of two vocabularies to words, and factorise the old embedding (HyperOFA, step 1).

    What `cli ofa dataset mapping` and `cli ofa predict` read: the words of every old and new subword, the vectors of
    the words, and the coordinates of the old subwords.

    Args:
        source: The model with the old vocabulary: a run folder, a checkpoint, a Hugging Face folder or a hub name.
        target_tokenizer: The new vocabulary: a folder, a hub name or a tokenizer.json.
        vectors: Word vectors of all languages in one space.
        keep_dim: Numbers of a coordinate; the width of the model if left out, where nothing is factorised.
        matrix: Which embedding is to be predicted; where the two are one matrix, it is input.
        most_words: The first so many words of the vectors; 0 for all.
        mapping_data: The folder of that name that HyperOFA's own code has written: which words subwords have is read
            from its pickles, and not found anew.
        allow_pickle: Open these, by an unpickler that runs no code.
        path: The folder.
    """

    source: str = field(metadata={"alias": "from"})
    target_tokenizer: str
    vectors: Path
    keep_dim: int | None = None
    matrix: Literal["input", "output"] = "input"
    most_words: int = 0
    mapping_data: Path | None = None
    allow_pickle: bool = False
    path: Path = Path("mapping")

    def __post_init__(self) -> None:
        check_bounds(self, keep_dim=1, most_words=0)
        if self.mapping_data is not None and not self.allow_pickle:
            raise ValueError(
                f"--mapping_data {self.mapping_data} holds pickles. Say --allow_pickle to open them, by an unpickler "
                "that runs no code."
            )

    def build(self) -> None:
        """Write the folder."""
        from ofa.hypernetwork.creation import create_mapping

        create_mapping(self)
