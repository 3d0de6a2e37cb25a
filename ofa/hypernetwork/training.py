"""How a hypernetwork is optimised."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ofa.hypernetwork.config_file import TRAINING, fill
from semeqv.grammar.component import component

UNSAID: Any = None  # an option that the configuration file, else the usual value, decides


@component("ofa optimizers adam")
@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam as HyperOFA has it (arXiv 2504.21018); the same as `cli optimizers adam` where there is no file.

    Args:
        learning_rate: Step size; .0001 if left out, where the file does not say it either.
        weight_decay: Added to the gradient; 0 if left out so.
        hypernetwork_config_path: A YAML file of HyperOFA, for what is left out.
    """

    names: ClassVar[dict[str, tuple[str, str]]] = {
        "learning_rate": (TRAINING, "lr"),
        "weight_decay": (TRAINING, "weight_decay"),
    }

    learning_rate: float = UNSAID
    weight_decay: float = UNSAID
    hypernetwork_config_path: Path | None = None

    def __post_init__(self) -> None:
        fill(self, self.names, {"learning_rate": 1e-4, "weight_decay": 0.0})

    def build(self, model: Any) -> Any:
        """The optimizer of a model."""
        from semeqv.train import optimizers

        return optimizers.Adam(learning_rate=self.learning_rate, weight_decay=self.weight_decay).build(model)
