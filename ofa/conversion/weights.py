"""Reads the tensors of a model that other code has saved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from semeqv.runs.errors import UserError
from semeqv.text.models.source import PICKLES, WEIGHTS

WRAPPERS = ("_orig_mod.", "module.", "model.")  # of torch.compile, DistributedDataParallel and Lightning


def read_weights(path: Path, allow_pickle: bool) -> dict[str, Tensor]:
    """Read tensors by name, without the prefixes that wrappers give to all of them.

    Args:
        path: A file, or a folder with `model.safetensors` or one pickle.
        allow_pickle: Whether to open a pickle: by torch's restricted unpickler, which makes tensors and plain values.

    Returns:
        The tensors.

    Raises:
        UserError: When there are none, the file is damaged, or it is a pickle and pickles are not allowed.
    """
    file = weights_file(path) if path.is_dir() else path
    try:
        if file.suffix == ".safetensors":
            return unwrapped(load_file(file))
        if not allow_pickle:
            raise UserError(f"{file} is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code.")
        held = torch.load(file, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file.") from None
    except SafetensorError as error:
        raise UserError(f"{file} cannot be read as safetensors: {first_line(error)}") from error
    except Exception as error:  # a damaged pickle fails in any way
        raise UserError(f"{file} cannot be opened by the unpickler that runs no code: {first_line(error)}") from error
    inner = held.get("state_dict", held) if isinstance(held, Mapping) else {}
    weights = {str(name): each for name, each in inner.items() if isinstance(each, Tensor)}
    if not weights:
        raise UserError(f"{file} holds no tensors by name.")
    return unwrapped(weights)


def weights_file(folder: Path) -> Path:
    """The file of weights of a folder: its safetensors, else its only pickle; `UserError` when there is none."""
    if (folder / WEIGHTS[0]).is_file():
        return folder / WEIGHTS[0]
    found = sorted({path for pattern in PICKLES for path in folder.glob(pattern) if path.name != "training_args.bin"})
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UserError(f"{folder} should hold one file of weights, {WEIGHTS[0]} or a pickle; there is {names}.")
    return found[0]


def unwrapped(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Names without the prefixes that wrappers give to all of them."""
    while prefix := next((each for each in WRAPPERS if weights and all(name.startswith(each) for name in weights)), ""):
        weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return dict(weights)


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
