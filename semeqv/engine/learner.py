"""What a training step is: forward, backward, clipping, the update. The loop around it is the Trainer's."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from semeqv.engine.errors import UserError

Batch = Mapping[str, Tensor]
Loss = Callable[[Mapping[str, Tensor], Batch], Mapping[str, Tensor]]
AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Regime:
    """How steps are computed.

    Args:
        device: Where.
        precision: fp32, bf16 or fp16 in forward and backward passes.
        clip: Largest norm of the gradient of one replica, or None.
        compile: Whether the step is compiled.
    """

    device: torch.device
    precision: str = "fp32"
    clip: float | None = None
    compile: bool = False

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The context of a forward pass."""
        if self.precision not in AUTOCAST:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, AUTOCAST[self.precision])


class Learner(Protocol):
    """Models that learn in step, one or many. Metrics are tensors of shape (metric, replica)."""

    names: tuple[str, ...]

    def step(self, batches: Sequence[Batch]) -> Tensor:
        """One update from batches whose gradients add up.

        Args:
            batches: With several replicas, every tensor has them as its first dimension.

        Returns:
            (metric + 1, replica): the metrics, and last whether the loss and the gradient were finite (1 or 0).
            When they were not, nothing has been updated, and no later step updates anything.
        """

    def evaluate(self, batch: Batch) -> Tensor:
        """The metrics of a batch that all replicas see, (metric, replica), without gradients."""

    def module(self, replica: int) -> nn.Module:
        """A replica's module, with its current values; to look at before the next step."""

    def edit(self, change: Callable[[nn.Module], None]) -> None:
        """Change the parameters or buffers of every replica."""

    def rates(self) -> list[float]:
        """The learning rate of each parameter group at the next step."""

    def state(self, replica: int) -> dict[str, Any]:
        """Optimizer and scheduler state of a replica."""

    def load(self, replica: int, weights: Mapping[str, Tensor], state: Mapping[str, Any] | None) -> None:
        """Take over weights, and state unless it is None."""


def own_loss(outputs: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
    """The loss that the model computes itself (the Hugging Face convention).

    Args:
        outputs: What the model returned, `loss` among it.
        batch: Not used; every loss function takes it.

    Returns:
        `loss` alone.

    Raises:
        UserError: When the model returned no loss.
    """
    if outputs.get("loss") is None:
        raise UserError("The model returns no loss of its own. Add: cli loss cross-entropy")
    return {"loss": outputs["loss"]}


def targets(batch: Batch) -> int:
    """How many predictions a batch asks for: its labels that are not -100; without labels, its rows."""
    if "labels" in batch:
        return int((batch["labels"] != -100).sum())
    return len(next(iter(batch.values())))


def probe(model: nn.Module, loss: Loss, batch: Batch, regime: Regime) -> tuple[str, ...]:
    """The names of the metrics, found by one forward pass before step 1, without gradients.

    When the batch does not fit the model, `UserError` is raised with the batch's shapes and what torch says of it.
    """
    check_vocabulary(model, batch)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), regime.autocast():
            outputs = model(**batch)
            check_labels(outputs, batch)
            return tuple(loss(outputs, batch))
    except UserError:
        raise
    except (RuntimeError, IndexError, TypeError, ValueError) as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in batch.items())
        raise UserError(f"The data does not fit the model ({said}). A batch is: {shapes}.") from error
    finally:
        model.train(was_training)


def check_labels(outputs: Mapping[str, Tensor], batch: Batch) -> None:
    """Refuse labels for which the model has no logit.

    Args:
        outputs: The model's, with or without `logits`.
        batch: With or without `labels`; those of -100 are not predicted.

    Raises:
        UserError: When a label is negative, or not below the number of logits.
    """
    logits, labels = outputs.get("logits"), batch.get("labels")
    if logits is None or labels is None or labels.is_floating_point():
        return
    asked = labels[labels != -100]
    wrong = asked[(asked < 0) | (asked >= logits.shape[-1])]
    if wrong.numel():
        raise UserError(f"The data has label {int(wrong[0])}, but the model tells {logits.shape[-1]} classes apart.")


def check_vocabulary(model: nn.Module, batch: Batch) -> None:
    """Refuse token ids for which the model has no embedding.

    Args:
        model: Looked at only if it has `get_input_embeddings`.
        batch: Looked at only if it has `input_ids`.

    Raises:
        UserError: When an id is negative or beyond the last row.
    """
    embedding = getattr(model, "get_input_embeddings", lambda: None)()
    ids = batch.get("input_ids")
    if embedding is None or ids is None or not ids.numel():
        return
    rows, low, high = embedding.weight.shape[0], int(ids.min()), int(ids.max())
    if low < 0 or high >= rows:
        wrong = low if low < 0 else high
        raise UserError(f"The data has token id {wrong}, but the model has {rows} input embeddings (0 to {rows - 1}).")


class Eager:
    """Ordinary modules with ordinary optimizers, one or several side by side.

    Args:
        models: One module per replica; parameters and buffers are trained in place.
        optimizer: From a module to its optimizer.
        scheduler: From an optimizer to its scheduler, or None.
        loss: From a model's outputs and the batch to metrics, `loss` among them.
        regime: How to compute.
    """

    def __init__(self, models: Sequence[nn.Module], optimizer: Any, scheduler: Any, loss: Loss, regime: Regime):
        self.models = [model.to(regime.device) for model in models]
        self.optimizers = [optimizer(model) for model in self.models]
        self.schedulers = [scheduler(each) for each in self.optimizers] if scheduler else []
        self.forwards: list[Callable[..., Any]]
        self.forwards = [torch.compile(model) if regime.compile else model for model in self.models]
        self.scaler = torch.amp.GradScaler(regime.device.type, enabled=regime.precision == "fp16")
        self.loss, self.regime, self.names, self.halted = loss, regime, tuple[str, ...](), False

    def step(self, batches: Sequence[Batch]) -> Tensor:
        """One update of every replica; a batch of several replicas has them as its first dimension."""
        several = len(self.models) > 1
        found = []
        for r in range(len(self.models)):
            own = [{name: tensor[r] for name, tensor in batch.items()} for batch in batches] if several else batches
            found.append(self.gradient(r, own))
        metrics = torch.stack(found, dim=1)
        self.halted = self.halted or not bool(metrics[-1].all())
        for optimizer in self.optimizers:
            if not self.halted:
                self.scaler.step(optimizer)
            optimizer.zero_grad(set_to_none=True)
        if not self.halted:
            scale = self.scaler.get_scale()
            self.scaler.update()
            if self.scaler.get_scale() >= scale:  # else fp16 has skipped the update
                for scheduler in self.schedulers:
                    scheduler.step()
        return metrics

    def gradient(self, r: int, batches: Sequence[Batch]) -> Tensor:
        """Accumulate the gradient of one replica, (metric + 1): batches weigh by their targets."""
        model, counts = self.forwards[r], [targets(batch) for batch in batches]
        self.models[r].train()
        total = torch.zeros(())
        for batch, count in zip(batches, counts):
            share = count / max(sum(counts), 1)
            with self.regime.autocast():
                metrics = self.loss(model(**batch), batch)
            self.scaler.scale(metrics["loss"] * share).backward()  # type: ignore[no-untyped-call]
            total = total + torch.stack([metrics[name].detach().float().cpu() for name in self.names]) * share
        self.scaler.unscale_(self.optimizers[r])
        gradients = [p.grad for p in self.models[r].parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if self.regime.clip is not None:
            nn.utils.clip_grads_with_norm_(self.models[r].parameters(), self.regime.clip, norm)
        finite = torch.isfinite(norm.cpu()) | self.scaler.is_enabled()  # fp16 skips such a step and lowers its scale
        return torch.cat([total, (finite & torch.isfinite(total).all()).float().reshape(1)])

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> Tensor:
        """The metrics of a batch, (metric, replica)."""
        found = []
        for model in self.models:
            model.eval()
            with self.regime.autocast():
                metrics = self.loss(model(**batch), batch)
            found.append(torch.stack([metrics[name].float().cpu() for name in self.names]))
        return torch.stack(found, dim=1)

    def module(self, replica: int) -> nn.Module:
        """A replica's module."""
        return self.models[replica]

    @torch.no_grad()
    def edit(self, change: Callable[[nn.Module], None]) -> None:
        """Change the parameters or buffers of every replica."""
        for model in self.models:
            change(model)

    def rates(self) -> list[float]:
        """The learning rate of each parameter group, the same for all replicas."""
        return [float(group["lr"]) for group in self.optimizers[0].param_groups]

    def state(self, replica: int) -> dict[str, Any]:
        """Optimizer and scheduler state of a replica."""
        return {
            "mode": "eager",
            "optimizer": self.optimizers[replica].state_dict(),
            "scheduler": plain(self.schedulers[replica].state_dict()) if self.schedulers else None,
            "scaler": self.scaler.state_dict(),
        }

    def load(self, replica: int, weights: Mapping[str, Tensor], state: Mapping[str, Any] | None) -> None:
        """Take over weights, and state unless it is None."""
        self.models[replica].load_state_dict(weights)
        if state is not None:
            self.optimizers[replica].load_state_dict(dict(state["optimizer"]))
            self.scaler.load_state_dict(state["scaler"])
            if self.schedulers:
                self.schedulers[replica].load_state_dict(state["scheduler"])


def plain(state: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a scheduler's state that is numbers: what is a function is built anew."""
    return {name: value for name, value in state.items() if all(map(is_plain, leaves(value)))}


def leaves(value: Any) -> Iterator[Any]:
    """The values inside lists, tuples and dictionaries."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def is_plain(value: Any) -> bool:
    """Whether a value is a number, a word or a tensor."""
    return value is None or isinstance(value, bool | int | float | str | Tensor)


def torch_device(name: str) -> torch.device:
    """The device of a name.

    Args:
        name: cpu, cuda, cuda:N or mps, or auto for CUDA where there is some, else the CPU.

    Returns:
        The device.

    Raises:
        UserError: When torch sees no such CUDA device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not (torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()):
        raise UserError(f"--device {name}: torch sees {torch.cuda.device_count()} CUDA devices here.")
    return device
