"""The YAML configuration of HyperOFA (github.com/enesozeren/hyper-ofa, `hypernetwork/configs`).

One file speaks of the network, its data, its optimizer and its schedule. Each of these components takes
`--hypernetwork_config_path`, and reads from the file what the command line leaves out.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

NETWORK, TRAINING = "model_hps", "training_hps"
KEYS: dict[tuple[str, str], type] = {
    (NETWORK, "num_layers"): int,
    (NETWORK, "num_heads"): int,
    (NETWORK, "hidden_dim"): int,
    (NETWORK, "emb_dim"): int,
    (NETWORK, "output_dim"): int,
    (NETWORK, "dropout"): float,
    (NETWORK, "max_context_size"): int,
    (TRAINING, "batch_size"): int,
    (TRAINING, "lr"): float,
    (TRAINING, "weight_decay"): float,
    (TRAINING, "lr_sched_step_size"): int,
    (TRAINING, "lr_sched_gamma"): float,
    (TRAINING, "contrastive_temp"): float,
    (TRAINING, "loss_lambd"): float,
    (TRAINING, "epochs"): int,
    (TRAINING, "augmentation_threshold"): int,
    (TRAINING, "augmentation_min_percentage"): float,
    (TRAINING, "augmentation_max_percentage"): float,
    (TRAINING, "augmentation_keep_all_percentage"): float,
    (NETWORK, "padding_idx"): int,  # of a row of zeros behind the word vectors, which nothing here needs
    (TRAINING, "num_workers"): int,  # of processes that read batches, of which there are none here
}


def read_config(path: Path) -> dict[tuple[str, str], Any]:
    """Read all that a file says.

    Args:
        path: The file.

    Returns:
        Numbers by their part and key, `KEYS`; what the file leaves out, or leaves empty, is left out.

    Raises:
        ValueError: When it cannot be read, has a key that HyperOFA has not, or a value is no number, or no whole one
            where it counts.
    """
    option = f"--hypernetwork_config_path {path}"
    try:
        parts = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{option} cannot be read ({type(error).__name__}).") from None
    if not isinstance(parts, dict) or not any(isinstance(parts.get(part), dict) for part in (NETWORK, TRAINING)):
        raise ValueError(f"{option} has neither {NETWORK} nor {TRAINING}.")
    numbers = {}
    for part in (NETWORK, TRAINING):
        section = parts.get(part) or {}
        for key, value in section.items() if isinstance(section, dict) else ():
            kind = KEYS.get((part, key))
            if kind is None:
                raise ValueError(f"{path}: HyperOFA has no {part}.{key}.")
            if value is None:
                continue
            number = as_number(value) if kind is float else value
            if isinstance(number, bool) or not isinstance(number, int if kind is int else int | float):
                whole = "whole " if kind is int else ""
                raise ValueError(f"{path}: {part}.{key} must be a {whole}number, not {value!r}.")
            numbers[part, key] = number
    return numbers


def as_number(value: Any) -> Any:
    """Return the number that a text spells, as `1e-4`, which is text in YAML 1.1; or the value as it is."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def fill(options: Any, names: Mapping[str, tuple[str, str]], usual: Mapping[str, Any]) -> None:
    """Give a component what its command line left out: what the file says, else the usual value.

    Args:
        options: The component; what was left out is None. `ValueError` is raised as in `read_config`.
        names: Parts and keys of the file, by option.
        usual: Values by option.
    """
    path = options.hypernetwork_config_path
    config = read_config(path) if path is not None else {}
    for name, value in usual.items():
        if getattr(options, name) is None:
            object.__setattr__(options, name, config.get(names[name], value) if name in names else value)
