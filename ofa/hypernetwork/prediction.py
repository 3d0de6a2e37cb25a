"""Predicts coordinates, and keeps them in files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ofa.hypernetwork.batches import chosen, padded
from ofa.hypernetwork.folder import MappingFolder
from ofa.mapping import Mapping
from semeqv.runs.errors import UserError
from semeqv.runs.files import whole_file, write_errors
from semeqv.tasks.inference import inference
from semeqv.text.tokens.batches import generator
from semeqv.train.bars import Progress

if TYPE_CHECKING:
    from ofa.hypernetwork.predict import Predict, Predicting


SAID = ("from", "target_tokenizer", "matrix", "matrix_hash", "new_tokens_hash")  # what predictions say of themselves

DEGREES = ("source_degree", "target_degree")


@dataclass(frozen=True)
class Predictions:
    """Rows of a new embedding that a hypernetwork has predicted.

    Args:
        source: The model that they are for.
        target_tokenizer: The new vocabulary.
        matrix: Which embedding, input or output.
        matrix_hash: Of the old embedding.
        new_tokens_hash: Of the new vocabulary.
        subwords: `(n,)`, the new tokens, rising.
        coordinates: `(n, kept)`.
        degrees: How many words each old and each new subword has, `(subwords,)` each.
    """

    source: str
    target_tokenizer: str
    matrix: str
    matrix_hash: str
    new_tokens_hash: str
    subwords: NDArray[numpy.int64]
    coordinates: Tensor
    degrees: tuple[NDArray[numpy.int64], NDArray[numpy.int64]]


def predicted(
    options: "Predicting",
    model: Any,
    folder: MappingFolder,
    mapping: Mapping,
    subwords: NDArray[numpy.int64],
    *,
    regime: tuple[str, str, int | None],
) -> Tensor:
    """Predict the coordinates of subwords.

    Args:
        options: How many subwords at a time, and words of one.
        model: A hypernetwork.
        folder: Of the mapping that the hypernetwork was trained on.
        mapping: The words of the subwords, old or new ones.
        subwords: `(n,)`, each with words.
        regime: Device, precision, threads.

    Returns:
        `(n, kept)`, float32 on the CPU.

    Raises:
        UserError: When the model is no hypernetwork, or was trained on another mapping.
    """
    if getattr(model.config, "model_type", None) != "ofa-hypernetwork":
        raise UserError(f"{type(model).__name__} is no hypernetwork; open one: cli model load --from RUN")
    if model.config.mapping_hash != folder.fingerprint:
        raise UserError(
            f"The hypernetwork was trained on another mapping than {options.mapping}: on other word vectors, another "
            "model or --keep_dim."
        )
    found = torch.empty(len(subwords), model.config.kept)
    order = numpy.argsort(mapping.degree[subwords], kind="stable")
    with inference(model, *regime) as running:
        for step, start in enumerate(
            Progress(range(0, len(order), options.batch_size), desc="predict", unit="batch", leave=False, disable=None)
        ):
            which = order[start : start + options.batch_size]
            draw = generator(step, 0, 7)
            sets = [chosen(mapping.word_set(subword), options.most_words, None, draw) for subword in subwords[which]]
            found[torch.from_numpy(which)] = (
                model(**running.place(padded(sets, folder.vectors))).prediction.float().cpu()
            )
    return found


def predict_new(options: "Predict", folder: MappingFolder, model: Any, regime: tuple[str, str, int | None]) -> None:
    """Predict the coordinates of all new subwords with words, and write them.

    Args:
        options: What the command was told.
        folder: The mapping.
        model: A hypernetwork.
        regime: Device, precision, threads.

    """
    subwords = numpy.flatnonzero(folder.target.degree > 0)
    rows = predicted(options, model, folder, folder.target, subwords, regime=regime)
    facts = {name: str(folder.facts[name]) for name in SAID}
    tensors = {"subwords": torch.from_numpy(subwords), "coordinates": rows, **degrees_of(folder)}
    write_tensors(options.path, tensors, facts)
    click.echo(f"wrote {options.path} ({len(subwords):,} subwords)")


def degrees_of(folder: MappingFolder) -> dict[str, Tensor]:
    """How many words each old and each new subword has, as a file of predictions keeps it."""
    return {name: torch.from_numpy(getattr(folder, name.partition("_")[0]).degree) for name in DEGREES}


def write_tensors(path: Path, tensors: dict[str, Tensor], facts: dict[str, str]) -> None:
    """Write a file of safetensors in one piece: aside, then renamed; `UserError` when it cannot be written.

    Args:
        path: The file; its folder is made if need be.
        tensors: What it holds.
        facts: What it says of itself.
    """
    with write_errors(path), whole_file(path) as aside:
        save_file(tensors, aside, metadata=facts)


def read_predictions(path: Path) -> Predictions:
    """Read predictions.

    Args:
        path: The file.

    Returns:
        The predictions.

    Raises:
        UserError: When there are none, or they do not say what they are for.
    """
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            return Predictions(
                source=facts["from"],
                **{name: facts[name] for name in SAID[1:]},
                subwords=file.get_tensor("subwords").numpy(),
                coordinates=file.get_tensor("coordinates"),
                degrees=(file.get_tensor(DEGREES[0]).numpy(), file.get_tensor(DEGREES[1]).numpy()),
            )
    except KeyError as error:
        raise UserError(f"{path} does not say its {error.args[0]}; write it anew: cli ofa predict") from None
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} holds no predictions; write some: cli ofa predict --path {path}") from error
