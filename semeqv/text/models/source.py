"""What `--from` names: a run folder, a checkpoint, any Hugging Face folder, or a name on the hub.

Whatever it is becomes a local folder. Weights are safetensors; neither pickles nor code that comes with a model is
ever opened or fetched.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semeqv.lazy import safetensors, urllib
from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from semeqv.text.models import families

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
FETCHED = (
    *("*.json", "model.safetensors", "model-*-of-*.safetensors", "*.txt", "*.model", "*.tiktoken", "*.jinja"),
    "[0-9]_*/model.safetensors",  # of a module of sentence-transformers: `2_Dense`
)
LEFT = ("[!0-9]*/*", "[0-9][!_]*/*", "[0-9]_*/*/*")  # folders that are no such module
SHIFTED = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "data2vec-text")
HUB_NAME = r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?(@[\w./-]+)?"


def model_folder(source: str | Path | None) -> Path:
    """The local folder of a model: its configuration and weights as safetensors.

    Args:
        source: A run folder (its best, else last checkpoint), a checkpoint (its files are compared with their hashes),
            a Hugging Face folder, or a name on the hub, perhaps with a revision: `openai-community/gpt2@main`.

    Returns:
        A folder with `config.json` and weights.

    Raises:
        UserError: When it is none of these, its weights are pickles or damaged, or the hub cannot be reached.
    """
    folder = config_folder(source)
    if not any((folder / name).exists() for name in WEIGHTS):
        pickles = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern) if file.name != "state.pt")
        if pickles:
            convert = families.converter(read_config(folder))
            how = (
                f"Convert it: {convert} --from {source} --output FOLDER --allow_pickle" if convert else "Save the model"
            )
            raise UserError(
                f"{source} has its weights as {pickles[0]}, which may run code when it is opened, and never is here. "
                f"{how}{'' if convert else ' as safetensors'}."
            )
        raise UserError(f"{source} has no weights as safetensors ({WEIGHTS[0]}).")
    return folder


def tensor_names(folder: Path) -> list[str]:
    """Return the names of the tensors of a folder, as its files say them.

    Args:
        folder: A folder with weights as safetensors.

    Returns:
        The names.

    Raises:
        UserError: When the folder holds no tensor, a file is damaged, or an index names another kind of file or one
            outside the folder.
    """
    single, index = (folder / name for name in WEIGHTS)
    try:
        if single.exists():
            with safetensors.safe_open(single, "pt") as file:
                found = list(file.keys())
        else:
            places = json.loads(index.read_bytes())["weight_map"]
            for name in places.values():
                if not str(name).endswith(".safetensors") or Path(name).name != name:
                    raise UserError(f"{index} names {name!r:.60}; weights are *.safetensors files of the same folder.")
            found = list(places)
    except (
        OSError,
        safetensors.SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise UserError(
            f"{folder} cannot be opened, its weights are damaged: {str(error).splitlines()[0]:.200}"
        ) from error
    if not found:
        raise UserError(f"{folder} has a file of weights without a tensor in it; save the model again.")
    return found


def config_folder(source: str | Path | None) -> Path:
    """The local folder of a model's configuration and tokenizer; `model_folder` wants weights too.

    Args:
        source: See `model_folder`.

    Returns:
        A folder with `config.json`.

    Raises:
        UserError: When there is none.
    """
    if source is None or not str(source):
        raise UserError("Say which model: --from a run folder, a checkpoint, a Hugging Face folder or a hub name.")
    path = Path(source).expanduser()
    if path.is_dir():
        folder = local_folder(path)
    elif path.exists():
        raise UserError(f"--from {source} is a file; name its folder.")
    elif re.fullmatch(HUB_NAME, str(source)):
        folder = fetched(str(source))
    else:
        raise UserError(f"--from {source}: there is no such folder, and no model on the hub has such a name.")
    if not (folder / CONFIG).is_file():
        where = "" if folder == path else f" (in {folder})"
        raise UserError(f"{source} is no Hugging Face model: it has no {CONFIG}{where}.")
    return folder


def local_folder(path: Path) -> Path:
    """The folder itself, or the checkpoint of a run.

    Args:
        path: A folder.

    Returns:
        The folder, or the best, else the last checkpoint in it; the files of a checkpoint are as they were written.

    Raises:
        UserError: When the folder holds several runs, or (from `verify`) the checkpoint is damaged.
    """
    try:
        found = checkpoint.locate(path)
    except UserError:  # no checkpoint and no run
        runs = sorted(each.parent.name for each in path.glob("*/checkpoints") if each.is_dir())
        if runs and not (path / CONFIG).exists():
            some = ", ".join(runs[:4]) + (", ..." if len(runs) > 4 else "")
            raise UserError(f"{path} holds several runs; name one of them: {some}.") from None
        return path
    checkpoint.verify(found)
    return found


def fetched(name: str) -> Path:
    """Fetch a model from the hub, or find what was fetched before.

    Args:
        name: `model` or `owner/model`, perhaps with `@revision`.

    Returns:
        Its folder in the hub's cache.

    Raises:
        UserError: When the hub has no such model, or cannot be reached and nothing was fetched before.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    wanted: dict[str, Any] = {"revision": revision or None, "allow_patterns": FETCHED, "ignore_patterns": LEFT}
    try:
        return Path(snapshot_download(repository, local_files_only=not online(), **wanted))
    except (LocalEntryNotFoundError, ConnectionError):
        reason = "the Hugging Face hub cannot be reached, and it was not fetched before"
    except Exception as error:  # the hub's client fails in many ways: HTTP, names, gated models, full disks
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    raise UserError(f"--from {name}: no folder here has this name, and from the hub it cannot be had: {reason}.")


def online() -> bool:
    """Whether the hub's address is known here; its client would try for half a minute."""
    from huggingface_hub import constants

    host = urllib.parse.urlsplit(constants.ENDPOINT).hostname
    if constants.HF_HUB_OFFLINE or host is None:
        return False
    if urllib.request.getproxies():
        return True
    try:
        return bool(socket.getaddrinfo(host, 443))
    except OSError:
        return False


def read_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a folder.

    Args:
        folder: A folder with `config.json`.

    Returns:
        The JSON object.

    Raises:
        UserError: When it is no JSON object.
    """
    path = folder / CONFIG
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read ({type(error).__name__}).") from error
    if not isinstance(config, dict):
        raise UserError(f"{path} holds no JSON object.")
    return config


def positions_of(config: Mapping[str, Any]) -> int | None:
    """Return the most tokens that a model reads at once.

    Args:
        config: The content of its `config.json`.

    Returns:
        How many, those that RoBERTa and its kin keep for padding not counted; None when there is no limit, or nobody
        said.
    """
    most = config.get("max_position_embeddings") or config.get("n_positions")
    if not isinstance(most, int) or most <= 0 or config.get("positions") == "none":
        return None
    return most - (int(config.get("pad_token_id") or 1) + 1) * (config.get("model_type") in SHIFTED)
