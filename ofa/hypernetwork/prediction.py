"""Predicts coordinates, and keeps them in files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from ofa.hypernetwork.batches import chosen, padded
from ofa.hypernetwork.folder import MappingFolder
from ofa.mapping import Mapping
from semeqv.engine.errors import UserError
from semeqv.tasks.measures.inference import inference
from semeqv.text.tokens.batches import generator

if TYPE_CHECKING:
    from ofa.hypernetwork.predict import Predict, Predicting


def predicted(
    options: "Predicting",
    model: Any,
    mapping: Mapping,
    vectors: NDArray[numpy.float32],
    subwords: NDArray[numpy.int64],
    *,
    regime: tuple[str, str, int | None],
) -> Tensor:
    """Predict the coordinates of subwords.

    Args:
        options: How many subwords at a time, and words of one.
        model: A hypernetwork.
        mapping: The words of the subwords.
        vectors: `(words, width)`.
        subwords: `(n,)`, each with words.
        regime: Device, precision, threads.

    Returns:
        `(n, kept)`, float32 on the CPU.

    Raises:
        UserError: When the model is no hypernetwork, or of another width.
    """
    width = getattr(model.config, "width", None)
    if getattr(model.config, "model_type", None) != "ofa-hypernetwork":
        raise UserError(f"{type(model).__name__} is no hypernetwork; open one: cli model load --from RUN")
    if width != vectors.shape[1]:
        raise UserError(
            f"The hypernetwork reads vectors of {width} numbers, those of the mapping have {vectors.shape[1]}."
        )
    found = torch.empty(len(subwords), model.config.kept)
    order = numpy.argsort(mapping.degree[subwords], kind="stable")
    with inference(model, *regime) as running:
        for step, start in enumerate(
            tqdm(range(0, len(order), options.batch_size), desc="predict", unit="batch", leave=False, disable=None)
        ):
            which = order[start : start + options.batch_size]
            draw = generator(step, 0, 7)
            sets = [chosen(mapping.words_of(subword), options.most_words, False, draw) for subword in subwords[which]]
            found[torch.from_numpy(which)] = model(**running.place(padded(sets, vectors))).prediction.float().cpu()
    return found


def predict_new(options: "Predict", folder: MappingFolder, model: Any, regime: tuple[str, str, int | None]) -> None:
    """Predict the coordinates of all new subwords with words, and write them.

    Args:
        options: What the command was told.
        folder: The mapping.
        model: A hypernetwork.
        regime: Device, precision, threads.

    Raises:
        UserError: When the file cannot be written.
    """
    subwords = numpy.flatnonzero(folder.target.degree > 0)
    rows = predicted(options, model, folder.target, folder.vectors, subwords, regime=regime)
    facts = {name: str(folder.facts[name]) for name in ("matrix", "keep_dim", "target_tokenizer", "from")}
    temporary = options.path.with_name(f".{options.path.name}.tmp")
    try:
        options.path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"subwords": torch.from_numpy(subwords), "coordinates": rows}, temporary, metadata=facts)
        temporary.replace(options.path)
    except OSError as error:
        raise UserError(f"{options.path} cannot be written: {error.strerror}.") from error
    click.echo(f"wrote {options.path} ({len(subwords):,} subwords)")


def read_predictions(path: Path) -> tuple[str, NDArray[numpy.int64], Tensor]:
    """Read predictions.

    Args:
        path: The file.

    Returns:
        The matrix that they are for, the new subwords, and their coordinates, `(n,)` and `(n, kept)`.

    Raises:
        UserError: When there are none.
    """
    try:
        with safe_open(path, "pt") as file:
            facts, rows = file.metadata() or {}, file.get_tensor("coordinates")
            return facts.get("matrix", "input"), file.get_tensor("subwords").numpy(), rows
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} holds no predictions; write some: cli ofa predict --path {path}") from error
