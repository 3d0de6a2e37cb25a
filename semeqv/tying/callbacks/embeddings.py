"""Callbacks that record embeddings while a model learns them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import no_grad, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.text.models.embeddings import embedding_weights, is_tied, set_tying
from semeqv.train.callbacks.log import Logged, Logger, run_path
from semeqv.train.strategies import full_tensor
from semeqv.tying.callbacks.decoupling import untie
from semeqv.tying.followed import FOLLOWED


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
        return Decoupler(self, self.files, distances, self.etd, model)


MOST = 5000  # symbols between which distances are recorded


class Recorder(Logger):
    """Records something of the embeddings of every run: all of them, or those that the training set follows.

    A training set whose `followed` has `ids` (which symbols to record) and `to_json()` (what they are) is asked; the
    latter is written beside the arrays, as followed.json, with the steps or epochs from one record to the next.

    Args:
        options: How often, and where to log metrics.
        files: For `input` and `output`: the path, or None, and the default name.
        view: From an embedding matrix, (symbols, size), to what is recorded.
    """

    def __init__(
        self,
        options: Logged,
        files: Mapping[str, tuple[Path | None, str]],
        view: Callable[[numpy.ndarray], numpy.ndarray],
    ):
        super().__init__(options)
        self.files, self.view, self.printing = files, view, False
        self.logs: list[dict[str, Any]] = []
        self.followed: Any = None

    def on_start(self, trainer: Any) -> None:
        """Open the files of every run.

        Args:
            trainer: The Trainer.

        Raises:
            UserError: When its runs have no folder.
        """
        super().on_start(trainer)
        if not trainer.runs:
            raise UserError("Recording embeddings needs a folder: Trainer.set_output, or --output.")
        self.followed = getattr(trainer.trainsplit, "followed", None)
        several = len(trainer.runs) > 1
        self.logs = [
            {side: run.arrays(run_path(path, run, several), name) for side, (path, name) in self.files.items()}
            for run in trainer.runs
        ]

    def on_begin(self, trainer: Any) -> None:
        """Say what is recorded, and record the initial embeddings, on the train split."""
        if self.followed is not None:
            every = {"steps": self.options.stc} if self.options.stc else {"epochs": self.options.etc}
            said = json.dumps({"every": every} | self.followed.to_json(), ensure_ascii=False) + "\n"
            for folder in {log.path.parent for logs in self.logs for log in logs.values() if not log.mute}:
                write_text(folder / FOLLOWED, said)
        if self.split == "train":
            self.record(trainer)

    def on_step(self, trainer: Any, metrics: Any) -> None:
        """Log and record after a training step."""
        super().on_step(trainer, metrics)
        if self.options.stc and trainer.step % self.options.stc == 0:
            self.record(trainer)

    def on_epoch(self, trainer: Any, metrics: Any, name: str | None) -> None:
        """Log and record after an epoch or a pass, unless steps are recorded."""
        if self.options.etc and trainer.epoch % self.options.etc == 0:
            super().on_epoch(trainer, metrics, name)
            if not self.options.stc:
                self.record(trainer)

    def record(self, trainer: Any) -> None:
        """Take one record of every run."""
        rows = self.followed.ids if self.followed is not None else slice(None)
        found = [embeddings(trainer.made.module(r), rows) for r in range(len(self.logs))]
        arrays = iter(copied([matrix for pair in found for matrix in pair.values()]))
        for logs, pair in zip(self.logs, found):
            for side in pair:
                logs[side].append(self.view(next(arrays)))


def copied(tensors: list[torch.Tensor]) -> list[numpy.ndarray]:
    """Copies of tensors as arrays, fetched from their device at once: it is waited for once a record."""
    flat = torch.cat([each.reshape(-1) for each in tensors]).cpu()
    parts = flat.split([each.numel() for each in tensors])
    return [part.reshape(each.shape).numpy() for part, each in zip(parts, tensors)]


def embeddings(model: Any, rows: list[int] | slice = slice(None)) -> dict[str, torch.Tensor]:
    """Copies of the input and output embedding matrices of a model: one module may stand for every run in turn.

    Args:
        model: Has `get_input_embeddings`, and `output_matrix` or `get_output_embeddings`.
        rows: The symbols that are wanted; all if left out.

    Returns:
        `input` and `output`, each (symbols, size) float32; the same values twice when they are tied.

    Raises:
        UserError: When the model does not say which its embeddings are.
    """
    try:
        output = model.output_matrix() if hasattr(model, "output_matrix") else model.get_output_embeddings().weight
        pair = {"input": model.get_input_embeddings().weight, "output": output}
    except AttributeError as error:
        raise UserError(f"{type(model).__name__} does not say which its input and output embeddings are.") from error
    return {side: full_tensor(matrix.detach())[rows].float().clone() for side, matrix in pair.items()}


def distances(matrix: numpy.ndarray) -> numpy.ndarray:
    """Euclidean distances between all pairs of rows.

    Args:
        matrix: Embeddings, (symbols, size).

    Returns:
        (symbols, symbols) float32.

    Raises:
        UserError: When there are so many symbols that a record would not fit.
    """
    if len(matrix) > MOST:
        raise UserError(
            f"Distances are recorded between {MOST:,} symbols at most, and these are {len(matrix):,}. A data set that "
            "says which ones to follow: cli mlm dataset ..."
        )
    rows = matrix.astype(numpy.float64)
    return numpy.stack([numpy.sqrt(((rows - row) ** 2).sum(-1)) for row in rows]).astype(numpy.float32)


class Decoupler(Recorder):
    """Records as a `Recorder` does, and unties the embeddings after some epochs.

    A model with a method `decouple` is told to. A tied model of transformers is untied before it learns, since neither
    its parameters nor those of its optimizer may change later: two matrices of equal values, each of which takes the
    sum of both gradients before every update, until it is time. That is how the one matrix would learn, elementwise
    optimizers being given; only clipping, which comes before, sees two gradients.

    Args:
        options: How often, and where to log metrics.
        files: For `input` and `output`: the path, or None, and the default name.
        view: From an embedding matrix, (symbols, size), to what is recorded.
        untie_after: Untie the embeddings after so many epochs.
        model: The model that will learn.
    """

    def __init__(
        self,
        options: Any,
        files: Mapping[str, tuple[Path | None, str]],
        view: Callable[[numpy.ndarray], numpy.ndarray],
        untie_after: int,
        model: Any = None,
    ):
        super().__init__(options, files, view)
        self.untie_after, self.epochs = untie_after, 1
        self.coupled = model if hasattr(model, "get_output_embeddings") and not hasattr(model, "decouple") else None
        if self.coupled is not None and is_tied(self.coupled):
            set_tying(self.coupled, False)
        else:
            self.coupled = None

    def on_start(self, trainer: Any) -> None:
        """Open the files of every run; let coupled matrices learn as one."""
        super().on_start(trainer)
        for optimizer in trainer.made.optimizers if self.coupled is not None else []:
            optimizer.register_step_pre_hook(lambda *_: self.couple(trainer.epoch))

    @no_grad
    def couple(self, epoch: int) -> None:
        """Give each of two coupled matrices the gradients of both, unless this epoch is one of learning apart."""
        if epoch >= self.untie_after:
            return
        matrices = [matrix for matrix in embedding_weights(self.coupled) if matrix is not None]
        gradients = [matrix.grad for matrix in matrices if matrix.grad is not None]
        for matrix in matrices:
            matrix.grad = sum(gradients[1:], gradients[0]).clone()

    def on_epoch(self, trainer: Any, metrics: Any, name: str | None) -> None:
        """Untie when it is time; log and record as a `Recorder` does."""
        if trainer.epoch == self.untie_after and self.coupled is None:
            trainer.made.edit(untie)
        super().on_epoch(trainer, metrics, name)

    def definition(self) -> dict[str, Any]:
        """When it unties the embeddings."""
        return {"untied after epochs": self.untie_after}
