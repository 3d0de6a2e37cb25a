"""Read checkpoints that other programs wrote: tensors by name, and the sizes of the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from semeqv.lazy import safetensors, torch
from semeqv.runs.errors import UserError
from semeqv.text.models.source import CONFIG, PICKLES, WEIGHTS, config_folder, read_config

WRAPPERS = ("_orig_mod.", "module.", "model.")  # of torch.compile, DistributedDataParallel and Lightning
INSIDE = ("state_dict", "model", "module")  # where Lightning, nanoGPT and DeepSpeed keep the weights
BESIDE = re.compile(r"((train|val|test)_metrics|loss_fn(_val)?)\..*")  # what Lightning keeps beside the model's weights
# Where the sizes are, at any depth; what the model was made of comes before the options of the run.
SIZES = ("model_args", "hyper_parameters", "cfg", "model_cfg", "model", "config")


@dataclass
class ForeignCheckpoint:
    """A checkpoint that was read.

    Args:
        path: The file.
        weights: Tensors by name, in the order in which they were written.
        facts: The sizes of the model, by name.
    """

    path: Path
    weights: dict[str, torch.Tensor]
    facts: dict[str, Any] = field(default_factory=dict)


def read_checkpoint(source: str | Path | None, allow_pickle: bool) -> ForeignCheckpoint:
    """Read a checkpoint.

    Args:
        source: A file, or a folder with weights and `config.json`, or a name on the hub.
        allow_pickle: Whether to open pickles: by torch's restricted unpickler, which makes tensors and plain values,
            and of objects of unknown classes something that holds their attributes.

    Returns:
        Weights and facts.

    Raises:
        UserError: When it cannot be read, or is a pickle and pickles are not allowed.
    """
    place = None if source is None else Path(source).expanduser()
    if place is not None and place.is_file():
        path, facts = place, read_config(place.parent) if (place.parent / CONFIG).exists() else dict[str, Any]()
    elif place is not None and place.is_dir() and pickles(place) and not (place / CONFIG).exists():
        path, facts = weights_file(place), {}  # the folder of a run of nanoGPT or Lightning
    else:
        folder = config_folder(source)
        path, facts = weights_file(folder), read_config(folder)
    if path.suffix == ".safetensors":
        try:
            return ForeignCheckpoint(path, unwrapped(safetensors.torch.load_file(path)), facts)
        except (safetensors.SafetensorError, OSError) as error:
            raise UserError(f"{path} cannot be read as safetensors: {first_line(error)}") from error
    if not allow_pickle:
        raise UserError(f"{path} is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code.")
    return unpickled(path, facts)


def weights_file(folder: Path) -> Path:
    """Return the one file of weights in a folder.

    Args:
        folder: A folder; of a model on the hub only safetensors are fetched into it.

    Returns:
        Its `model.safetensors`, else its only pickle.

    Raises:
        UserError: When there is none, or several.
    """
    paths = [folder / WEIGHTS[0]] if (folder / WEIGHTS[0]).is_file() else pickles(folder)
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths[:4]) + (", ..." if len(paths) > 4 else "")
        raise UserError(f"{folder} holds several files of weights: {names}. Name one of them: --from {paths[0]}")
    if not paths:
        raise UserError(
            f"{folder} should hold a file of weights, {WEIGHTS[0]} or a pickle; there is none. "
            "From the hub, pickles are had by: hf download NAME --local-dir FOLDER"
        )
    return paths[0]


def pickles(folder: Path) -> list[Path]:
    """Return the files in a folder that are called like pickles, by name."""
    return sorted({path for pattern in PICKLES for path in folder.glob(pattern)})


def unpickled(path: Path, facts: dict[str, Any]) -> ForeignCheckpoint:
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
        content = load(path)
        if isinstance(content, Mapping):
            facts = facts | sizes_in({name: plain(content[name]) for name in SIZES if name in content})
    except Exception as error:  # torch raises whatever its parts raise
        raise UserError(
            f"{path} cannot be opened by the unpickler that runs no code: {first_line(error)} "
            "Save its weights alone, as safetensors."
        ) from error
    if not isinstance(content, Mapping):
        raise UserError(f"{path} holds no weights by name.")
    weights = next((content[name] for name in INSIDE if isinstance(content.get(name), Mapping)), content)
    tensors = {str(name): each for name, each in weights.items() if isinstance(each, torch.Tensor)}
    if not tensors:
        raise UserError(f"{path} holds no tensors by name.")
    return ForeignCheckpoint(path, unwrapped(tensors), facts)


def sizes_in(options: Mapping[str, Any]) -> dict[str, Any]:
    """Collect what options say of a model.

    Args:
        options: Dictionaries in dictionaries.

    Returns:
        Numbers and texts by name, of the dictionaries that are called as one of `SIZES` and of those in them; the first
        one counts, in the order of `SIZES` and from the outside in. Texts that refer to other options are left out.
    """
    facts = dict[str, Any]()
    for part in (options[name] for name in SIZES if isinstance(options.get(name), Mapping)):
        own = {str(key): value for key, value in part.items() if isinstance(value, str | int | float)}
        facts = sizes_in(part) | {key: value for key, value in own.items() if "${" not in str(value)} | facts
    return facts


def unwrapped(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Names without the prefixes that wrappers give to all of them, and without what is no part of the model."""
    weights = {name: tensor for name, tensor in weights.items() if not BESIDE.fullmatch(name)}
    while prefix := next((each for each in WRAPPERS if weights and all(name.startswith(each) for name in weights)), ""):
        weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return dict(weights)


def first_line(error: Exception) -> str:
    """Return the first line of the message of an error."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


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
    except UnpicklingError as error:  # torch names its own options before the problem
        raise UnpicklingError(str(error.__context__ or error)) from error


def stand_in(name: str) -> Any:
    """Return what takes the place of a class or function, by its name with its module."""
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
