"""Callbacks that record embeddings while a model learns them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import check_bounds, component
from semeqv.train.callbacks.log import Logged


@component("callbacks cdists")
@dataclass(frozen=True, kw_only=True)
class Cdists(Logged):
    """Record the distances between all pairs of embeddings, input and output, over training.

    Each file is a .npy array of shape (records, symbols, symbols); on the train split the first record is taken before
    training. In a path `{run}` stands for the run's folder.

    Args:
        input_embedding_path: File of the distances between input embeddings; input_cdists.npy in the run's folder if
            left out.
        output_embedding_path: File of the distances between output embeddings; output_cdists.npy in the run's folder
            if left out.
    """

    input_embedding_path: Path | None = None
    output_embedding_path: Path | None = None

    @property
    def files(self) -> dict[str, tuple[Path | None, str]]:
        """For `input` and `output`: the path, or None, and the default name."""
        return {
            "input": (self.input_embedding_path, "input_cdists.npy"),
            "output": (self.output_embedding_path, "output_cdists.npy"),
        }

    def build(self) -> Any:
        """The callback."""
        from semeqv.tying.callbacks.recorder import Recorder, distances

        return Recorder(self, self.files, distances)


@component("callbacks embedding")
@dataclass(frozen=True, kw_only=True)
class Embedding(Logged):
    """Record the embedding matrices themselves, input and output, over training.

    Each file is a .npy array of shape (records, symbols, embedding size), for `cli view-embeddings`; on the train split
    the first record is taken before training. In a path `{run}` stands for the run's folder.

    Args:
        path: File of the input embeddings; input_embeddings.npy in the run's folder if left out.
        output_path: File of the output embeddings; output_embeddings.npy in the run's folder if left out.
    """

    obsolete: ClassVar[dict[str, str]] = {"--buffsize": "records are written with each checkpoint, not in a buffer."}

    path: Path | None = None
    output_path: Path | None = None

    def build(self) -> Any:
        """The callback."""
        from semeqv.tying.callbacks.recorder import Recorder

        files = {"input": (self.path, "input_embeddings.npy"), "output": (self.output_path, "output_embeddings.npy")}
        return Recorder(self, files, lambda matrix: matrix)


@component("callbacks cdists-decouple")
@dataclass(frozen=True, kw_only=True)
class CdistsDecouple(Cdists):
    """Record distances as `cdists` does, and untie tied embeddings after some epochs.

    From then on the output embedding is a copy of the input embedding that learns on its own. In a model of
    transformers the two are one by their gradients, so that an optimizer must treat all numbers of both alike, as AdamW
    does; its checkpoints hold both.

    Args:
        etd: Epochs after which the embeddings are untied.
    """

    etd: int = 10_000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, etd=1)
        if self.split != "train":
            raise ValueError("cdists-decouple changes the model while it trains; its --split is train.")

    def build(self, model: Any = None) -> Any:
        """The callback.

        Args:
            model: The model that will learn. A tied one of transformers becomes an untied one of equal values.

        Returns:
            What records, and unties.
        """
        from semeqv.tying.callbacks.decoupling import Decoupler
        from semeqv.tying.callbacks.recorder import distances

        return Decoupler(self, self.files, distances, self.etd, model)
