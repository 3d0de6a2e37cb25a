"""The options of hypernetworks."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from semeqv.engine.component import check_bounds, component
from semeqv.engine.errors import UserError

UNSAID: Any = None  # an option that the configuration file, else `defaults`, decides
USUAL = {"layers": 2, "dropout": 0.4, "contrast": 0.1, "temperature": 0.5}
NAMES = {  # options by the names of HyperOFA's YAML configuration
    "layers": ("model_hps", "num_layers"),
    "hidden_size": ("model_hps", "hidden_dim"),
    "dropout": ("model_hps", "dropout"),
    "contrast": ("training_hps", "loss_lambd"),
    "temperature": ("training_hps", "contrastive_temp"),
}


@dataclass(frozen=True, kw_only=True)
class HypernetworkOptions:
    """The options of all hypernetworks.

    Args:
        layers: Layers; 2 if left out, where the file does not say it either.
        hidden_size: Width inside; 800 of an LSTM in each direction, 1600 of a set transformer, if left out so.
        dropout: Share of activations dropped in training; .4 if left out so.
        contrast: The share of the contrastive part in the loss (lambda); .1 if left out so.
        temperature: Of the contrastive part; .5 if left out so.
        hypernetwork_config_path: A YAML file of HyperOFA (`model_hps`, `training_hps`), for what is left out.
    """

    network: ClassVar[str]
    defaults: ClassVar[dict[str, Any]]

    layers: int = UNSAID
    hidden_size: int = UNSAID
    dropout: float = UNSAID
    contrast: float = UNSAID
    temperature: float = UNSAID
    hypernetwork_config_path: Path | None = None

    def __post_init__(self) -> None:
        said = read_config(self.hypernetwork_config_path) if self.hypernetwork_config_path else {}
        for name, default in (self.defaults | said).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
        check_bounds(self, layers=1, hidden_size=1, dropout=(0, 1), contrast=(0, 1))
        if self.temperature <= 0:
            raise ValueError(f"--temperature must be above 0, not {self.temperature}.")

    def build(self, dataset: Any) -> Any:
        """The network.

        Args:
            dataset: The training set, which knows the widths.

        Returns:
            A `Hypernetwork`.

        Raises:
            UserError: When the data is none of subwords.
        """
        from ofa.hypernetwork.networks import Hypernetwork, HypernetworkConfig

        data = next(iter(dataset.values()), None) if isinstance(dataset, dict) else dataset
        if data is None or not hasattr(data, "kept"):
            raise UserError("A hypernetwork learns from a mapping. Add: cli ofa dataset mapping --mapping FOLDER")
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        sizes = {"num_hidden_layers": own.pop("layers"), "num_attention_heads": own.pop("heads", 1)}
        sizes["contrast_temperature"] = own.pop("temperature")
        own.pop("hypernetwork_config_path")
        own |= {"mapping_hash": data.folder.fingerprint, "split_seed": data.facts()["split seed"]}
        if data.width % sizes["num_attention_heads"]:
            raise UserError(f"--heads {sizes['num_attention_heads']} must divide the {data.width} numbers of a vector.")
        return Hypernetwork(HypernetworkConfig(network=self.network, width=data.width, kept=data.kept, **sizes, **own))


@component("ofa model bilstm")
@dataclass(frozen=True, kw_only=True)
class BiLstm(HypernetworkOptions):
    """The BiLSTM of HyperOFA, by default in the size for RoBERTa: 2 layers of 800 in each direction."""

    network: ClassVar[str] = "bilstm"
    defaults: ClassVar[dict[str, Any]] = USUAL | {"hidden_size": 800}


@component("ofa model setformer")
@dataclass(frozen=True, kw_only=True)
class SetFormer(HypernetworkOptions):
    """The set transformer of HyperOFA: attention among the words of a subword, whose order does not count.

    Args:
        heads: Attention heads; they divide the width of a vector.
    """

    network: ClassVar[str] = "setformer"
    defaults: ClassVar[dict[str, Any]] = USUAL | {"hidden_size": 1600}

    heads: int = 4


def read_config(path: Path) -> dict[str, Any]:
    """Options from HyperOFA's YAML configuration.

    Args:
        path: The file.

    Returns:
        The options that it says, by our names.

    Raises:
        ValueError: When it cannot be read, or a value is no number, or no whole one where it counts.
    """
    import yaml

    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"--hypernetwork_config_path {path} cannot be read ({type(error).__name__}).") from None
    found = {}
    for name, (part, key) in NAMES.items():
        value = said.get(part, {}).get(key) if isinstance(said, dict) and isinstance(said.get(part, {}), dict) else None
        whole = name in ("layers", "hidden_size")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int if whole else int | float)):
            raise ValueError(f"{path}: {part}.{key} must be a {'whole ' if whole else ''}number, not {value!r}.")
        if value is not None:
            found[name] = value
    return found
