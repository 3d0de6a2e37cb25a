"""What a training step is: forward, backward, clipping, the update. The loop around it is the Trainer's."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from semeqv.engine.compilation import compiled
from semeqv.engine.errors import UserError
from semeqv.engine.strategies import Alone, Rehearsal, load_shards, whole
from semeqv.engine.world import World

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
        skip: Whether training goes on, without an update, after a step whose loss or gradient is not finite.
    """

    device: torch.device
    precision: str = "fp32"
    clip: float | None = None
    compile: bool = False
    skip: bool = False

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The context of a forward pass."""
        if self.precision not in AUTOCAST:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, AUTOCAST[self.precision])

    def place(self, batch: Batch) -> Batch:
        """A batch on the device."""
        if self.device.type == "cpu":
            return batch
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}


class Learner(Protocol):
    """Models that learn in step, one or many. Metrics are tensors of shape (metric, replica)."""

    names: tuple[str, ...]

    def step(self, batches: Sequence[Batch]) -> Tensor:
        """One update from batches whose gradients add up.

        Args:
            batches: With several replicas, every tensor has them as its first dimension.

        Returns:
            (metric + 1, replica): the metrics, and last whether the loss and the gradient were finite (1 or 0).
            When they were not, nothing has been updated, and no later step updates anything (unless they are skipped).
        """

    def evaluate(self, batch: Batch) -> Tensor:
        """The metrics of a batch that all replicas see, (metric, replica), without gradients."""

    def weights(self, replica: int) -> dict[str, Tensor]:
        """A copy of a replica's weights on the CPU, in the first process (see `weights_of`)."""

    def module(self, replica: int) -> nn.Module:
        """A replica's module, with its current values; to look at before the next step."""

    def edit(self, change: Callable[[nn.Module], None]) -> None:
        """Change the parameters or buffers of every replica."""

    def state(self, replica: int) -> dict[str, Any]:
        """Optimizer and scheduler state of a replica."""

    def shards(self, replica: int) -> dict[str, Tensor]:
        """The part of that state which every process saves for itself."""

    def load(
        self, replica: int, weights: Mapping[str, Tensor], state: Mapping[str, Any] | None, shards: Path | None = None
    ) -> None:
        """Take over weights; state, unless it is None; and, where `shards` had some, the folder they were saved in."""


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


def rehearsal(loss: Loss, batch: Batch, regime: Regime) -> Rehearsal:
    """What takes a model through the first row of a batch (see `Alone.spread`)."""

    def rehearse(model: nn.Module, device: torch.device, backward: bool) -> set[str]:
        rows = len(next(iter(batch.values())))
        first = {name: each[:1] if each.dim() and len(each) == rows else each for name, each in batch.items()}
        row = {name: each.to(device) for name, each in first.items()}
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        with torch.set_grad_enabled(backward), regime.autocast():
            found = loss(model.train()(**row), row)["loss"]
        if backward:
            found.backward()  # type: ignore[no-untyped-call]
        unused = {name for name, each in model.named_parameters() if each.requires_grad and each.grad is None}
        model.zero_grad(set_to_none=True)
        for name, buffer in model.named_buffers():
            buffer.data.copy_(buffers[name])
        return unused

    return rehearse


def weights_of(module: nn.Module, keep: bool = True) -> dict[str, Tensor]:
    """The weights of a module, copied to the CPU.

    Args:
        module: Its parameters may be in shards; then every process must ask.
        keep: Whether this process wants them.

    Returns:
        Name to tensor. Where several names mean one tensor (tied weights), only the first is there.
    """
    found, seen = dict[str, Tensor](), set[int]()
    for name, tensor in module.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            full = whole(tensor.detach())
            if keep:
                found[name] = full.to("cpu", copy=True)
    return found


def with_tied(module: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights by all names of a module, those that mean one tensor too (what `weights_of` leaves out)."""
    state = module.state_dict(keep_vars=True)
    said = {id(state[name]): weights[name] for name in weights if name in state}
    return dict(weights) | {name: said[id(tensor)] for name, tensor in state.items() if id(tensor) in said}


class Eager:
    """Ordinary modules with ordinary optimizers, one or several side by side, or one spread over processes.

    Args:
        models: One module per replica; parameters and buffers are trained in place.
        optimizer: From a module to its optimizer.
        scheduler: From an optimizer to its scheduler, or None.
        loss: From a model's outputs and the batch to metrics, `loss` among them.
        regime: How to compute.
        sample: A batch, to look at what the loss depends on.
        world: The processes that share every batch.
        strategy: How the model is spread over them.
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        optimizer: Any,
        scheduler: Any,
        loss: Loss,
        regime: Regime,
        *,
        sample: Batch | None = None,
        world: World | None = None,
        strategy: Alone | None = None,
    ):
        self.loss, self.regime, self.names, self.halted = loss, regime, tuple[str, ...](), False
        self.world, self.strategy = world or World(), strategy or Alone()
        rehearse = rehearsal(loss, sample or {}, regime)
        self.models = list(models)
        self.forwards = [self.strategy.spread(model, regime.device, self.world, rehearse) for model in models]
        if regime.compile:
            self.forwards = [compiled(forward) for forward in self.forwards]
        self.optimizers = [optimizer(model) for model in self.models]
        self.schedulers = [scheduler(each) for each in self.optimizers] if scheduler else []
        self.scaler = torch.amp.GradScaler(regime.device.type, enabled=regime.precision == "fp16")

    def step(self, batches: Sequence[Batch]) -> Tensor:
        """One update of every replica; a batch of several replicas has them as its first dimension."""
        several = len(self.models) > 1
        found = []
        for r in range(len(self.models)):
            own = [{name: tensor[r] for name, tensor in batch.items()} for batch in batches] if several else batches
            found.append(self.gradient(r, own))
        metrics = torch.stack(found, dim=1)
        finite = bool(metrics[-1].all())
        self.halted = self.halted or not (finite or self.regime.skip)
        update = finite and not self.halted
        for optimizer in self.optimizers:
            if update:
                self.scaler.step(optimizer)
            optimizer.zero_grad(set_to_none=True)
        if update:
            scale = self.scaler.get_scale()
            self.scaler.update()
            if self.scaler.get_scale() >= scale:  # else fp16 has skipped the update
                for scheduler in self.schedulers:
                    scheduler.step()
        return metrics

    def gradient(self, r: int, batches: Sequence[Batch]) -> Tensor:
        """Accumulate the gradient of one replica, (metric + 1): batches, and the rows of a process, weigh by their
        targets. Gradients are averaged over processes, so each makes up for it.
        """
        forward, model, every = self.forwards[r], self.models[r].train(), sum(map(targets, batches))
        total = torch.zeros((), device=self.regime.device)
        for i, batch in enumerate(batches, start=1):
            part, counts = self.world.part(batch)
            share = targets(part) * counts / max(every, 1)
            part = self.regime.place(part)
            with self.strategy.adding_up(forward, last=i == len(batches)):
                with self.regime.autocast():
                    metrics = self.loss(forward(**part), part)
                self.scaler.scale(metrics["loss"] * (share * self.world.size)).backward()  # type: ignore[no-untyped-call]
            total = total + torch.stack([metrics[name].detach().float() for name in self.names]) * share
        self.scaler.unscale_(self.optimizers[r])
        norm = nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
        if self.regime.clip is not None:
            nn.utils.clip_grads_with_norm_(model.parameters(), self.regime.clip, norm)
        total, norm = self.world.total(total), whole(norm).cpu()
        finite = torch.isfinite(norm) | self.scaler.is_enabled()  # fp16 skips such a step and lowers its scale
        return torch.cat([total, (finite & torch.isfinite(total).all()).float().reshape(1)])

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> Tensor:
        """The metrics of a batch, (metric, replica)."""
        part, counts = self.world.part(batch)
        share = targets(part) * counts / max(targets(batch), 1) if self.world.size > 1 else 1.0
        part, found = self.regime.place(part), []
        for model in self.models:
            model.eval()
            with self.regime.autocast():
                metrics = self.loss(model(**part), part)
            found.append(torch.stack([metrics[name].float() for name in self.names]) * share)
        return self.world.total(torch.stack(found, dim=1))

    def weights(self, replica: int) -> dict[str, Tensor]:
        """A copy of a replica's weights on the CPU, in the first process."""
        return weights_of(self.models[replica], keep=self.world.first)

    def module(self, replica: int) -> nn.Module:
        """A replica's module."""
        return self.models[replica]

    @torch.no_grad()
    def edit(self, change: Callable[[nn.Module], None]) -> None:
        """Change the parameters or buffers of every replica."""
        for model in self.models:
            change(model)

    def state(self, replica: int) -> dict[str, Any]:
        """Optimizer and scheduler state of a replica, but for what is in `shards`."""
        optimizer = self.optimizers[replica].state_dict()
        return {
            "mode": "eager",
            "optimizer": optimizer | {"state": {}} if self.shards(replica) else optimizer,
            "scheduler": plain(self.schedulers[replica].state_dict()) if self.schedulers else None,
            "scaler": self.scaler.state_dict(),
        }

    def shards(self, replica: int) -> dict[str, Tensor]:
        """The tensors of the optimizer's state, where the model is in shards."""
        return self.strategy.shards(self.models[replica], self.optimizers[replica])

    def load(
        self, replica: int, weights: Mapping[str, Tensor], state: Mapping[str, Any] | None, shards: Path | None = None
    ) -> None:
        """Take over weights, and state unless it is None."""
        model = self.models[replica]
        self.strategy.load(model, with_tied(model, weights))
        if state is not None:
            self.optimizers[replica].load_state_dict(dict(state["optimizer"]))
            if shards is not None:
                load_shards(shards, model, self.optimizers[replica])
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


def torch_device(name: str, world: World | None = None) -> torch.device:
    """The device of a name.

    Args:
        name: cpu, cuda, cuda:N or mps, or auto for CUDA where there is some, else the CPU.
        world: The processes of the run; each has a CUDA device for itself.

    Returns:
        The device.

    Raises:
        UserError: When torch sees no such CUDA device, or too few for the processes.
    """
    device = torch.device("cuda" if name == "auto" and torch.cuda.is_available() else name.replace("auto", "cpu"))
    if device.type != "cuda":
        return device
    if world and world.size > 1:
        if device.index is not None:
            raise UserError(f"--device {name} is one device, but there are {world.size} processes; say --device cuda.")
        device = torch.device("cuda", world.local_rank)
    if not (torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()):
        which = f" for process {device.index} of this machine" if world and world.size > 1 else ""
        raise UserError(f"--device {name}: torch sees {torch.cuda.device_count()} CUDA devices here{which}.")
    return device
