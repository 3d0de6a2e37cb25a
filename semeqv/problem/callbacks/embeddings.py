"""Callbacks that record embeddings while a model learns them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.engine.callbacks.log import Logged
from semeqv.engine.component import component


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
    def untie_after(self) -> int | None:
        """Never: the embeddings stay as they are."""
        return None

    def build(self) -> Any:
        """The callback."""
        from semeqv.problem.callbacks.recorder import Recorder, distances

        files = {
            "input": (self.input_embedding_path, "input_cdists.npy"),
            "output": (self.output_embedding_path, "output_cdists.npy"),
        }
        return Recorder(self, files, distances, self.untie_after)


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

    path: Path | None = None
    output_path: Path | None = None

    def build(self) -> Any:
        """The callback."""
        from semeqv.problem.callbacks.recorder import Recorder

        files = {"input": (self.path, "input_embeddings.npy"), "output": (self.output_path, "output_embeddings.npy")}
        return Recorder(self, files, lambda matrix: matrix)


@component("callbacks cdists-decouple")
@dataclass(frozen=True, kw_only=True)
class CdistsDecouple(Cdists):
    """Record distances as `cdists` does, and untie tied embeddings after some epochs.

    From then on the output embedding is a copy of the input embedding that learns on its own.

    Args:
        etd: Epochs after which the embeddings are untied.
    """

    etd: int = 10_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.etd < 1:
            raise ValueError(f"--etd must be at least 1, not {self.etd}.")
        if self.split != "train":
            raise ValueError("cdists-decouple changes the model while it trains; its --split is train.")

    @property
    def untie_after(self) -> int:
        """Epochs after which the embeddings are untied."""
        return self.etd
