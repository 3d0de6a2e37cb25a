"""Reads checkpoints that other programs wrote: tensors by name, and what is said of the model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from semeqv.engine.errors import UserError
from semeqv.text.models.source import PICKLES, WEIGHTS, config_folder, read_config

WRAPPERS = ("_orig_mod.", "module.", "model.")  # of torch.compile, DistributedDataParallel and Lightning
INSIDE = ("state_dict", "model")  # where Lightning and nanoGPT keep the weights
SAID = ("model_args", "hyper_parameters", "config")  # where they keep the sizes


@dataclass
class Checkpoint:
    """What was read.

    Args:
        path: The file.
        weights: Tensors by name, in the order in which they were written.
        facts: What is said of the model: sizes by name.
    """

    path: Path
    weights: dict[str, Tensor]
    facts: dict[str, Any] = field(default_factory=dict)


def read_checkpoint(source: str | Path | None, allow_pickle: bool) -> Checkpoint:
    """Read a checkpoint.

    Args:
        source: A file, or a folder with weights and `config.json`, or a name on the hub.
        allow_pickle: Whether to open pickles: by torch's restricted unpickler, which makes tensors, numbers, texts,
            lists and dictionaries, and nothing else.

    Returns:
        Weights and facts.

    Raises:
        UserError: When it cannot be read, or is a pickle and pickles are not allowed.
    """
    if source is not None and Path(source).expanduser().is_file():
        path, facts = Path(source).expanduser(), dict[str, Any]()
    else:
        folder = config_folder(source)
        path, facts = weights_file(folder), read_config(folder)
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return Checkpoint(path, unwrapped(load_file(path)), facts)
        except (SafetensorError, OSError) as error:
            raise UserError(f"{path} cannot be read as safetensors: {first_line(error)}") from error
    if not allow_pickle:
        raise UserError(f"{path} is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code.")
    return unpickled(path, facts)


def weights_file(folder: Path) -> Path:
    """The one file of weights in a folder.

    Args:
        folder: A folder; of a model on the hub only safetensors are fetched into it.

    Returns:
        Its `model.safetensors`, else its only pickle.

    Raises:
        UserError: When there is none, or several.
    """
    found = [folder / WEIGHTS[0]] if (folder / WEIGHTS[0]).is_file() else []
    found = found or sorted({path for pattern in PICKLES for path in folder.glob(pattern)})
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UserError(
            f"{folder} should hold one file of weights, {WEIGHTS[0]} or a pickle; there is {names}. "
            "From the hub, pickles are had by: hf download NAME --local-dir FOLDER"
        )
    return found[0]


def unpickled(path: Path, facts: dict[str, Any]) -> Checkpoint:
    """Read a pickle with torch's restricted unpickler.

    Args:
        path: The file.
        facts: What is known of the model already.

    Returns:
        Weights and facts.

    Raises:
        UserError: When the file is no checkpoint, or holds more than tensors and plain values.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its parts raise
        raise UserError(
            f"{path} cannot be opened by the unpickler that runs no code: {first_line(error)} "
            "Save its weights alone, as safetensors."
        ) from error
    if not isinstance(found, Mapping):
        raise UserError(f"{path} holds no weights by name.")
    for name in SAID:
        said = found.get(name)
        facts |= {str(key): value for key, value in said.items()} if isinstance(said, Mapping) else {}
    inner = next((found[name] for name in INSIDE if isinstance(found.get(name), Mapping)), found)
    return Checkpoint(path, unwrapped({name: each for name, each in inner.items() if isinstance(each, Tensor)}), facts)


def unwrapped(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names without the prefixes that wrappers give to all of them."""
    while prefix := next((each for each in WRAPPERS if weights and all(name.startswith(each) for name in weights)), ""):
        weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return dict(weights)


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
