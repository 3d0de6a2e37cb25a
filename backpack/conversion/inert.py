"""Opens the pickles of torch without importing the classes that they name.

A checkpoint of Lightning holds more than tensors: the options of the run as objects of omegaconf, the classes of
callbacks, numbers of numpy. torch's restricted unpickler refuses all of them. Here it is given a class that does
nothing in place of each, so that sizes in the options can be read without the library that made them.
"""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

# Modules whose functions a pickle calls to make plain data; here the call makes an object that holds its arguments.
DATA = ("_codecs", "argparse", "collections", "copyreg", "datetime", "lightning", "lightning_fabric", "numpy",
        "omegaconf", "pathlib", "pytorch_lightning", "torchmetrics", "typing")  # fmt: skip


class Inert:
    """An object of a class that is not imported: it holds what was saved of it."""

    name: str

    def __init__(self, *given: Any):
        if self.name.partition(".")[0] not in DATA:
            raise ValueError(f"it calls {self.name}.")
        self.given = given

    def __setstate__(self, state: Any) -> None:
        """Take what was saved: the attributes, perhaps in two dictionaries."""
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.__dict__.update({str(key): value for key, value in part.items()})


def load(path: Path) -> Any:
    """Read a pickle of torch by its restricted unpickler.

    Args:
        path: The file.

    Returns:
        What it holds; objects of unknown classes as `Inert`.

    Raises:
        UnpicklingError: When the file is damaged, or calls an unknown function.
    """
    try:
        unknown = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except ValueError:  # written before torch 1.6; such a file is read as far as it holds tensors and plain values
        unknown = []
    try:
        with torch.serialization.safe_globals([(stand_in(name), name) for name in unknown]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:  # torch speaks of its own options before it says what is wrong
        raise UnpicklingError(str(error.__context__ or error)) from error


def stand_in(name: str) -> Any:
    """What takes the place of a class or function, by its name with its module."""
    if name.endswith(".AttributeDict"):  # a dictionary of Lightning
        return dict
    if name == "collections.defaultdict":
        return lambda *_: {}
    return type("Inert", (Inert,), {"name": name})


def plain(value: Any) -> Any:
    """Make dictionaries and lists of inert objects.

    Args:
        value: What `load` gave.

    Returns:
        The dictionary, list or value that an object of omegaconf stands for; of other objects the attributes that are
        no objects themselves. Interpolations stay texts, such as `${data.length}`.
    """
    if isinstance(value, Inert):
        state = vars(value)
        held = {name: each for name, each in state.items() if not isinstance(each, Inert)}
        return plain(next((state[name] for name in ("_content", "_val") if name in state), held))
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
