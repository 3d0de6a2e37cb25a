"""What the options of all models have in common."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that reads symbols through an input embedding and writes them through an output embedding.

    Args:
        layers: Layers between the two embeddings.
        embedding_size: Width of both embeddings.
        tie: Whether the output embedding is the input embedding; `both` trains the two models side by side.
        src_vocab_size: Symbols of the input; taken from the data if left out.
        tgt_vocab_size: Symbols of the output; taken from the data if left out.
    """

    word: ClassVar[str]

    layers: int = 3
    embedding_size: int = 128
    tie: bool | Literal["both"] = False
    src_vocab_size: int | None = None
    tgt_vocab_size: int | None = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and not isinstance(value, bool) and value < 1:
                raise ValueError(f"--{field.name} must be at least 1, not {value}.")

    @property
    def name(self) -> str:
        """The name of the model's runs: `wt` (weight tying) at the end when it is tied."""
        return f"{self.word}{'wt' if self.tie is True else ''}"

    def variants(self) -> list[Self]:
        """The models that the options ask for: one, or the untied and the tied one."""
        return [dataclasses.replace(self, tie=tie) for tie in (False, True)] if self.tie == "both" else [self]

    def common(self, dataset: Any) -> dict[str, Any]:
        """What every network is made from.

        Args:
            dataset: A data set, or several by (split, name), of which the first is asked.

        Returns:
            The arguments that the networks share, by name.

        Raises:
            UserError: When a vocabulary size is given that is not the data's, or `tie` is `both`.
        """
        from semeqv.runs.errors import UserError

        if self.tie == "both":
            raise UserError("--tie both is for the command line; a single model is tied or not.")
        data = next(iter(dataset.values())) if isinstance(dataset, dict) else dataset
        for flag, said in (("src", self.src_vocab_size), ("tgt", self.tgt_vocab_size)):
            if said not in (None, data.vocabulary_size):
                raise UserError(
                    f"--{flag}_vocab_size {said} does not fit the data, which has {data.vocabulary_size} symbols; "
                    "leave it out."
                )
        return {
            "vocabulary_size": data.vocabulary_size,
            "mask": data.mask,
            "embedding_size": self.embedding_size,
            "layers": self.layers,
            "tied": self.tie,
        }
