"""The options of hypernetworks."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

from ofa.hypernetwork.config_file import NETWORK, TRAINING, fill, read_config
from semeqv.grammar.component import check_bounds, component
from semeqv.runs.errors import UserError

UNSAID: Any = None  # an option that the configuration file, else `usual`, decides
USUAL = {"layers": 2, "dropout": 0.4, "contrast": 0.1, "temperature": 0.5}
NAMES = {
    "layers": (NETWORK, "num_layers"),
    "dropout": (NETWORK, "dropout"),
    "contrast": (TRAINING, "loss_lambd"),
    "temperature": (TRAINING, "contrastive_temp"),
}


@dataclass(frozen=True, kw_only=True)
class HypernetworkOptions:
    """The options of all hypernetworks.

    Args:
        layers: Layers; 2 if left out, where the file does not say it either.
        hidden_size: Width inside; of an LSTM in each direction, 800 if left out so, and of the last layers of a set
            transformer, twice the width of a vector if left out.
        dropout: Share of activations dropped in training; .4 if left out so.
        contrast: The share of the contrastive part in the loss (lambda); .1 if left out so.
        temperature: Of the contrastive part; .5 if left out so.
        hypernetwork_config_path: A YAML file of HyperOFA (`model_hps`, `training_hps`), for what is left out. `cli ofa
            dataset mapping`, `cli ofa optimizers adam` and `cli ofa schedulers stairs` read the rest of it; its
            `epochs` are those of the run, `--epochs`.
    """

    network: ClassVar[str]
    names: ClassVar[dict[str, tuple[str, str]]]
    usual: ClassVar[dict[str, Any]]

    layers: int = UNSAID
    hidden_size: int = UNSAID
    dropout: float = UNSAID
    contrast: float = UNSAID
    temperature: float = UNSAID
    hypernetwork_config_path: Path | None = None

    def __post_init__(self) -> None:
        fill(self, self.names, self.usual)
        check_bounds(self, layers=1, hidden_size=1, dropout=(0, 1), contrast=(0, 1))
        if self.temperature <= 0:
            raise ValueError(f"--temperature must be above 0, not {self.temperature}.")

    def build(self, dataset: Any) -> Any:
        """Make the network.

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
        self.check_file(own.pop("hypernetwork_config_path"), data)
        own["hidden_size"] = own["hidden_size"] or 2 * data.width
        own |= {"mapping_hash": data.folder.fingerprint, "split_seed": data.facts()["split seed"]}
        if data.width % sizes["num_attention_heads"]:
            raise UserError(f"--heads {sizes['num_attention_heads']} must divide the {data.width} numbers of a vector.")
        return Hypernetwork(HypernetworkConfig(network=self.network, width=data.width, kept=data.kept, **sizes, **own))

    def check_file(self, path: Path | None, data: Any) -> None:
        """Compare what the file says with the data; `UserError` is raised when it is about other data."""
        config = read_config(path) if path is not None else {}
        for key, there, what in (("emb_dim", data.width, "word vectors"), ("output_dim", data.kept, "coordinates")):
            if config.get((NETWORK, key), there) != there:
                raise UserError(f"{path} says {NETWORK}.{key} {config[NETWORK, key]}; the {what} have {there} numbers.")


@component("ofa model bilstm")
@dataclass(frozen=True, kw_only=True)
class BiLstm(HypernetworkOptions):
    """The BiLSTM of HyperOFA, by default in the size for RoBERTa: 2 layers of 800 in each direction."""

    network: ClassVar[str] = "bilstm"
    names: ClassVar[dict[str, tuple[str, str]]] = NAMES | {"hidden_size": (NETWORK, "hidden_dim")}
    usual: ClassVar[dict[str, Any]] = USUAL | {"hidden_size": 800}


@component("ofa model setformer")
@dataclass(frozen=True, kw_only=True)
class SetFormer(HypernetworkOptions):
    """The set transformer of HyperOFA: attention among the words of a subword, whose order does not count.

    Args:
        heads: Attention heads; they divide the width of a vector. 4 if left out, where the file does not say it either.
        activation: Inside the layers of attention; HyperOFA's is relu.
    """

    network: ClassVar[str] = "setformer"
    names: ClassVar[dict[str, tuple[str, str]]] = NAMES | {"heads": (NETWORK, "num_heads")}
    usual: ClassVar[dict[str, Any]] = USUAL | {"heads": 4}

    heads: int = UNSAID
    activation: Literal["relu", "gelu"] = "relu"
