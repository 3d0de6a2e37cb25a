"""Many seeds trained as one program.

A model written as a pure function of its parameters for one replica is trained for all of them at once: its
parameters are stacked into one tensor per parameter group, (replica, number), `torch.func` maps forward and backward
over the replicas, and the optimizer, which works element by element, does not notice that it updates many models. On a
CPU a tiny model costs more to dispatch than to compute, so the whole step is one compiled program.

A single run is one replica of the same program, and its losses are bit-identical to those it has beside others. For
that, a program of one replica holds it twice: compilers leave out a dimension of size one, and then round elsewhere.
Batches are filled up to whole vectors of the processor with rows that ask for nothing: what is left over of a loop over
all replicas is computed by other instructions, which round otherwise, and that would be rows of the last one.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semeqv.lazy import functional, nn, no_grad, torch
from semeqv.runs.processes import World
from semeqv.train.batches import Batch
from semeqv.train.compilation import compiled_program
from semeqv.train.compute import ComputeConfig
from semeqv.train.losses import UNLABELLED, ignores_unlabelled
from semeqv.train.metrics import Scorer
from semeqv.train.probing import Loss
from semeqv.train.strategies import plain, weights_of, with_tied

VECTOR = 16  # numbers of fp32 that a processor computes at once, at most

TINY = 1e-30  # the least learning rate: compiled Adam divides by it


def elementwise_kinds() -> tuple[type, ...]:
    """Return the optimizers that update element by element."""
    return torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD


def replicable(model: nn.Module, optimizer: Any) -> bool:
    """Whether a model, and its optimizer, can be one replica among many.

    Args:
        model: Says `replicable = True` when its forward pass is a pure function of parameters and buffers, for one
            replica, without randomness.
        optimizer: From a module to its optimizer, which must update element by element; None when nothing is trained.

    Returns:
        Whether the model says so and its optimizer is one of `elementwise_kinds`.
    """
    if not getattr(model, "replicable", False):
        return False
    made = optimizer and optimizer(model)
    if made is None:
        return True
    plain_start = not any(group.get("dampening") for group in made.param_groups)  # all state starts at zero
    return isinstance(made, elementwise_kinds()) and plain_start


def program_fits(said: Any) -> bool:
    """Whether a run of these settings may be a program of replicas; they are those of a sentence or of a Trainer."""
    plain_steps = said.accumulation == 1 and said.precision != "fp16" and not said.skip_nonfinite
    return plain_steps and World.here().size == 1


class VmappedReplicas:
    """All replicas as one program.

    Args:
        models: One module per replica, all of one shape; their values are copied.
        optimizer: From a module to its optimizer, one of `elementwise_kinds`.
        scheduler: From an optimizer to its scheduler, or None.
        loss: From a model's outputs and the batch to metrics, `loss` among them.
        regime: How to compute.
    """

    lazy = True

    def __init__(self, models: Sequence[nn.Module], optimizer: Any, scheduler: Any, loss: Loss, regime: ComputeConfig):
        self.loss, self.regime, self.names = loss, regime, tuple[str, ...]()
        self.skeleton = copy.deepcopy(models[0]).to(regime.device)
        self.size = len(models)
        models = list(models) * 2 if self.size == 1 else models
        names = {parameter: name for name, parameter in models[0].named_parameters()}
        groups = optimizer(models[0]).param_groups
        self.layout = [[(names[p], p.shape, p.numel()) for p in group["params"]] for group in groups]
        values = [dict(model.named_parameters()) for model in models]
        self.flats = [
            torch.stack([torch.cat([each[name].detach().flatten() for name, *_ in group]) for each in values])
            .to(regime.device)
            .contiguous()
            for group in self.layout
        ]
        buffers = [dict(model.named_buffers()) for model in models]
        self.buffers = {name: torch.stack([each[name] for each in buffers]).to(regime.device) for name in buffers[0]}
        stacked = [
            {**group, "params": [flat], "lr": torch.tensor(float(group["lr"]), device=regime.device)}
            | {name: False for name in ("foreach", "fused") if name in group}
            | {name: regime.device.type not in ("cpu", "mps") for name in ("capturable",) if name in group}
            for group, flat in zip(groups, self.flats)
        ]
        self.optimizer = type(optimizer(models[0]))(stacked)
        # A capturable optimizer counts its steps on the device, so that no step waits for the CPU.
        # Past the decorators of torch and the counter that schedulers hang on it: they would break the graph.
        self.optimizer_step = inspect.unwrap(type(self.optimizer).step)
        self.scheduler = scheduler(self.optimizer) if scheduler else None
        self.halted = torch.zeros((), dtype=torch.bool, device=regime.device)
        self.start_state()
        self.run: Callable[[Batch], torch.Tensor] = self.update
        self.look: Callable[[Batch], torch.Tensor] = self.measure
        if regime.compile:
            self.run, self.look = compiled_program(self.update), compiled_program(self.measure)

    def start_state(self) -> None:
        """Let the optimizer make its state, all zeros, before the first step reads it."""
        rates = [group["lr"].clone() for group in self.optimizer.param_groups]
        before = [flat.clone() for flat in self.flats]
        self.gradients = [torch.zeros_like(flat) for flat in self.flats]
        for flat, gradient in zip(self.flats, self.gradients):
            flat.grad = gradient
        self.optimizer.step()
        for flat, value, group, rate in zip(self.flats, before, self.optimizer.param_groups, rates):
            flat.copy_(value)
            group["lr"].copy_(rate)
            for tensor in self.optimizer.state[flat].values():
                if isinstance(tensor, torch.Tensor):
                    tensor.zero_()

    def parameters(self, flats: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
        """Views of the stacked parameters by name, (replica, *shape)."""
        found: dict[str, torch.Tensor] = {}
        for flat, group in zip(flats, self.layout):
            parts = torch.split(flat, [size for *_, size in group], dim=-1)
            found |= {name: part.reshape(-1, *shape) for part, (name, shape, _) in zip(parts, group)}
        return found

    def forward(
        self, parameters: dict[str, torch.Tensor], buffers: dict[str, torch.Tensor], batch: Batch
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss and metrics of one replica."""
        with self.regime.autocast():
            metrics = self.loss(
                torch.func.functional_call(self.skeleton, (parameters, buffers), kwargs=dict(batch)), batch
            )
        return metrics["loss"], torch.stack([metrics[name].detach().float() for name in self.names])

    def update(self, batch: Batch) -> torch.Tensor:
        """One step of all replicas, (metric + 1, replica)."""
        gradients, (losses, metrics) = torch.func.vmap(torch.func.grad_and_value(self.forward, has_aux=True))(
            self.parameters(self.flats), self.buffers, batch
        )
        flat = [torch.cat([gradients[name].flatten(1) for name, *_ in group], dim=1) for group in self.layout]
        norms = torch.stack([g.square().sum(1) for g in flat]).sum(0).sqrt()
        if self.regime.clip is not None:
            scale = (self.regime.clip / (norms + 1e-6)).clamp(max=1.0)
            flat = [g * scale[:, None] for g in flat]
        finite = torch.isfinite(norms) & torch.isfinite(losses)
        self.halted.logical_or_(~finite.all())
        kept = [
            *self.flats,
            *(t for s in self.optimizer.state.values() for t in s.values() if isinstance(t, torch.Tensor)),
        ]
        before = [tensor.clone() for tensor in kept]
        for stored, gradient in zip(self.gradients, flat):
            stored.copy_(gradient)
        for group in self.optimizer.param_groups:
            group["lr"].clamp_(min=TINY)
        self.optimizer_step(self.optimizer)
        for tensor, value in zip(kept, before):
            tensor.copy_(torch.where(self.halted, value, tensor))
        return torch.cat([metrics.T, finite.float()[None]])

    def measure(self, batch: Batch) -> torch.Tensor:
        """The metrics of all replicas on one batch, (metric, replica)."""
        _, metrics = torch.func.vmap(self.forward, in_dims=(0, 0, None))(
            self.parameters(self.flats), self.buffers, batch
        )
        return metrics.T

    def lanes(self, seeds: Sequence[int]) -> list[int]:
        """The seeds whose batches a step expects, one for each replica that the program holds."""
        return list(seeds) * 2 if self.size == 1 else list(seeds)

    @no_grad
    def step(self, batches: Sequence[Batch]) -> torch.Tensor:
        """One update, (metric + 1, replica), from a single batch that has the replicas as its first dimension."""
        (batch,) = batches
        metrics = self.run(self.regime.place(self.filled_up(batch, 1)))
        if self.scheduler:
            self.scheduler.step()
        return metrics[:, : self.size]

    @no_grad
    def evaluate(self, batch: Batch, scorers: Sequence[Scorer] = ()) -> torch.Tensor:
        """The metrics of a batch that all replicas see, (metric, replica); each one's scorer sees its outputs."""
        placed = self.regime.place(batch)
        filled = self.regime.place(self.filled_up(batch, 0))
        for r, scorer in enumerate(scorers):
            with self.regime.autocast():
                module = self.module(r)
                scorer.take(module(**placed), placed, model=module)
        return self.look(filled)[:, : self.size]

    def filled_up(self, batch: Batch, at: int) -> Batch:
        """Add rows to a batch until whole vectors hold them, where the loss leaves them out: they have no label.

        Args:
            batch: Tensors that have the rows as dimension `at`.
            at: 1 behind the replicas, else 0.

        Returns:
            The batch, its memory laid out as before.
        """
        if not ignores_unlabelled(self.loss) or "labels" not in batch:
            return batch
        rows = batch["labels"].shape[at]
        missing = -rows % VECTOR
        if not missing or any(each.dim() <= at or each.shape[at] != rows for each in batch.values()):
            return batch
        return {name: with_rows(each, missing, at, UNLABELLED * (name == "labels")) for name, each in batch.items()}

    @no_grad
    def module(self, replica: int) -> nn.Module:
        """A replica's module, with its current values; to look at before the next step."""
        values = {name: tensor[replica] for name, tensor in self.parameters(self.flats).items()}
        for name, parameter in self.skeleton.named_parameters():
            parameter.copy_(values[name])
        for name, buffer in self.skeleton.named_buffers():
            buffer.copy_(self.buffers[name][replica])
        return self.skeleton

    @no_grad
    def edit(self, change: Callable[[nn.Module], None]) -> None:
        """Change the parameters or buffers of every replica."""
        for r in range(self.size):
            change(self.module(r))
            self.take_over(r)

    def take_over(self, replica: int) -> None:
        """Copy the skeleton's values into a replica."""
        values, rows = self.parameters(self.flats), self.rows(replica)
        for name, parameter in self.skeleton.named_parameters():
            values[name][rows] = parameter
        for name, buffer in self.skeleton.named_buffers():
            self.buffers[name][rows] = buffer

    def rows(self, replica: int) -> slice:
        """The rows of the stacked tensors that hold a replica."""
        return slice(0, 2) if self.size == 1 else slice(replica, replica + 1)

    def weights(self, replica: int, everywhere: bool = False) -> dict[str, torch.Tensor]:
        """A copy of a replica's weights on the CPU; a program is in one process."""
        return weights_of(self.module(replica))

    def rates(self) -> list[float]:
        """The learning rate of each parameter group, the same for all replicas."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def state(self, replica: int) -> dict[str, Any]:
        """Optimizer and scheduler state of a replica: its rows of the stacked state."""
        return {
            "mode": "program",
            "optimizer": [
                {
                    name: (value[replica] if value.shape[:1] == flat.shape[:1] else value).clone()
                    for name, value in self.optimizer.state[flat].items()
                    if isinstance(value, torch.Tensor)
                }
                for flat in self.flats
            ],
            "rates": [group["lr"].clone() for group in self.optimizer.param_groups],
            "scheduler": plain(self.scheduler.state_dict()) if self.scheduler else None,
        }

    def shards(self, replica: int) -> dict[str, torch.Tensor]:
        """Nothing: a program is in one process."""
        return {}

    @no_grad
    def load(
        self,
        replica: int,
        weights: Mapping[str, torch.Tensor],
        state: Mapping[str, Any] | None,
        shards: Path | None = None,
    ) -> None:
        """Take over weights, and state unless it is None."""
        self.skeleton.load_state_dict(with_tied(self.skeleton, weights))
        self.take_over(replica)
        if state is None:
            return
        for flat, saved in zip(self.flats, state["optimizer"]):
            for name, value in self.optimizer.state[flat].items():
                if isinstance(value, torch.Tensor):
                    (value[self.rows(replica)] if value.shape[:1] == flat.shape[:1] else value).copy_(saved[name])
        for group, rate in zip(self.optimizer.param_groups, state["rates"]):
            group["lr"].copy_(rate)
        if self.scheduler:
            self.scheduler.load_state_dict(state["scheduler"])


def with_rows(tensor: torch.Tensor, count: int, at: int, value: int) -> torch.Tensor:
    """Add rows of one value to a tensor, behind its rows; what lies innermost in memory stays there."""
    filled = functional.pad(tensor.movedim(at, -1), (0, count), value=value).movedim(-1, at)
    return filled.contiguous() if tensor.is_contiguous() else filled


def replica_stream(dataset: Any, seeds: Sequence[int], start: int) -> Iterator[Batch]:
    """The streams of several seeds as one, the replicas as first dimension of every tensor."""
    if hasattr(dataset, "replica_stream"):
        yield from dataset.replica_stream(seeds, start)
        return
    for batches in zip(*(dataset.stream(seed, start) for seed in seeds)):
        yield {name: torch.stack([batch[name] for batch in batches]) for name in batches[0]}
