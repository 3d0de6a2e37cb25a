"""How a hypernetwork is optimised."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ofa.hypernetwork.config_file import TRAINING, fill
from semeqv.grammar.component import check_bounds, component
from semeqv.train import optimizers

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
        """Make the optimizer of a model."""
        return optimizers.Adam(learning_rate=self.learning_rate, weight_decay=self.weight_decay).build(model)


@component("ofa schedulers stairs")
@dataclass(frozen=True, kw_only=True)
class Stairs:
    """A learning rate that falls by a factor after every so many epochs, as HyperOFA's does (arXiv 2504.21018).

    Args:
        factor: What it is multiplied by; .95 if left out, where the file does not say it either.
        every: Epochs between; 10 if left out so.
        hypernetwork_config_path: A YAML file of HyperOFA, for what is left out.
    """

    names: ClassVar[dict[str, tuple[str, str]]] = {
        "factor": (TRAINING, "lr_sched_gamma"),
        "every": (TRAINING, "lr_sched_step_size"),
    }

    factor: float = UNSAID
    every: int = UNSAID
    hypernetwork_config_path: Path | None = None

    def __post_init__(self) -> None:
        fill(self, self.names, {"factor": 0.95, "every": 10})
        check_bounds(self, factor=(0, 1), every=1)

    def build(self, optimizer: Any, dataset: Any, accumulation: int) -> Any:
        """Make the scheduler of an optimizer.

        Args:
            optimizer: Whose rates it sets.
            dataset: The data sets of the run; the training set knows how many batches an epoch has.
            accumulation: Batches of a step.

        Returns:
            A `Schedule`.
        """
        from semeqv.train.schedule import Schedule  # which is one of torch

        steps = self.every * max(len(dataset["train", None]) // accumulation, 1)
        return Schedule(optimizer, [lambda step: self.factor ** (step // steps)] * len(optimizer.param_groups))
