"""What a training step is: forward, backward, clipping, the update. The loop around it is the Trainer's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from semeqv.lazy import nn, no_grad, torch
from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.train.batches import Batch, targets
from semeqv.train.compilation import compiled, keep_memory
from semeqv.train.compute import ComputeConfig
from semeqv.train.metrics import Scorer
from semeqv.train.probing import Loss, check_classes, check_vocabulary, dry_run, misfit
from semeqv.train.strategies import SingleProcess, full_tensor, load_shards, plain, weights_of, with_tied


def fused_kinds() -> tuple[type, ...]:
    """Return the optimizers whose fused kernels can be told to update nothing."""
    return torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD


class TrainStep(Protocol):
    """Models that learn in step, one or many. Metrics are tensors of shape (metric, replica)."""

    names: tuple[str, ...]
    regime: ComputeConfig
    lazy: bool  # whether a step returns before the device has computed it

    def step(self, batches: Sequence[Batch]) -> torch.Tensor:
        """One update from batches whose gradients add up.

        Args:
            batches: With several replicas, every tensor has them as its first dimension.

        Returns:
            (metric + 1, replica): the metrics, and last whether the loss and the gradient were finite (1 or 0).
            When they were not, nothing has been updated, and no later step updates anything (unless they are skipped).
        """

    def evaluate(self, batch: Batch, scorers: Sequence[Scorer] = ()) -> torch.Tensor:
        """The metrics of a batch that all replicas see, (metric, replica), without gradients; scorers see it too."""

    def weights(self, replica: int, everywhere: bool = False) -> dict[str, torch.Tensor]:
        """A copy of a replica's weights on the CPU, in the first process or in every one (see `weights_of`)."""

    def module(self, replica: int) -> nn.Module:
        """A replica's module, with its current values; to look at before the next step."""

    def edit(self, change: Callable[[nn.Module], None]) -> None:
        """Change the parameters or buffers of every replica."""

    def rates(self) -> list[float]:
        """The learning rate of each parameter group at the next step."""

    def state(self, replica: int) -> dict[str, Any]:
        """Optimizer and scheduler state of a replica."""

    def shards(self, replica: int) -> dict[str, torch.Tensor]:
        """The part of that state which every process saves for itself."""

    def load(
        self,
        replica: int,
        weights: Mapping[str, torch.Tensor],
        state: Mapping[str, Any] | None,
        shards: Path | None = None,
    ) -> None:
        """Take over weights; state, unless it is None; and, where `shards` had some, the folder they were saved in."""


def own_loss(outputs: Mapping[str, torch.Tensor], batch: Batch) -> dict[str, torch.Tensor]:
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


def without_targets(
    metrics: Mapping[str, torch.Tensor], outputs: Mapping[str, torch.Tensor]
) -> Mapping[str, torch.Tensor]:
    """The metrics of rows that have no targets, which must add nothing to those of others.

    Args:
        metrics: What the loss says of them: NaN, where it is a mean over nothing.
        outputs: What the model returned; gradients of 0 go through its logits.

    Returns:
        Zeros, unless the loss is a number.
    """
    if bool(torch.isfinite(metrics["loss"])) or outputs.get("logits") is None:
        return metrics
    return dict.fromkeys(metrics, (outputs["logits"].nan_to_num() * 0.0).sum())


class EagerStep:
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
        regime: ComputeConfig,
        *,
        sample: Batch | None = None,
        world: World | None = None,
        strategy: SingleProcess | None = None,
    ):
        self.loss, self.regime, self.names = loss, regime, tuple[str, ...]()
        self.halted: Any = torch.zeros((), device=regime.device)
        self.classes: int | None = None  # that the model tells apart, once it has computed
        self.world, self.strategy = world or World(), strategy or SingleProcess()
        if regime.device.type == "cpu":
            keep_memory()
        rehearse = dry_run(loss, sample or {}, regime)
        self.models = list(models)
        self.count = partial(targets, shifted=getattr(models[0], "predicts_next", False))
        self.forwards = [self.strategy.wrap(model, regime, self.world, rehearse) for model in models]
        if regime.compile:
            self.forwards = [compiled(forward) for forward in self.forwards]
        self.optimizers = [optimizer(model) for model in self.models]
        made = [scheduler(each) for each in self.optimizers] if scheduler else []
        self.schedulers = [each for each in made if each is not None]  # `noscheduler` makes none
        self.scaler = torch.amp.GradScaler(regime.device.type, enabled=regime.precision == "fp16")
        self.lazy = regime.device.type != "cpu" and self.may_be_lazy()

    def may_be_lazy(self) -> bool:
        """Return whether the device alone can decide that a step updates nothing: fused kernels look at a flag.

        Several processes exchange their metrics on the CPU, and a step that may be skipped decides what comes next.
        """
        plain_steps = self.world.size == 1 and not self.regime.skip and not self.scaler.is_enabled()
        return plain_steps and all(
            type(each) in fused_kinds() and all(group.get("fused") for group in each.param_groups)
            for each in self.optimizers
        )

    def step(self, batches: Sequence[Batch]) -> torch.Tensor:
        """One update of every replica; a batch of several replicas has them as its first dimension."""
        several = len(self.models) > 1
        found = []
        for r in range(len(self.models)):
            own = [{name: tensor[r] for name, tensor in batch.items()} for batch in batches] if several else batches
            found.append(self.gradient(r, own))
        metrics = torch.stack(found, dim=1)
        if self.lazy:
            return self.update_where_finite(metrics)
        finite = bool(metrics[-1].all())
        if not (finite or self.regime.skip):
            self.halted = torch.ones(())
        update = finite and not self.halted
        for optimizer in self.optimizers:
            if update:
                self.scaler.step(optimizer)
            optimizer.zero_grad(set_to_none=True)
        scale = self.scaler.get_scale()
        self.scaler.update()
        if update and self.scaler.get_scale() >= scale:  # else fp16 has skipped the update
            for scheduler in self.schedulers:
                scheduler.step()
        return metrics

    def update_where_finite(self, metrics: torch.Tensor) -> torch.Tensor:
        """Update every replica without waiting for the device, which updates nothing from a step that is not finite on;
        returns the metrics.
        """
        self.halted = torch.maximum(self.halted, 1 - metrics[-1].min())
        for optimizer in self.optimizers:
            optimizer.found_inf = self.halted
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        for scheduler in self.schedulers:
            scheduler.step()
        return metrics

    def gradient(self, r: int, batches: Sequence[Batch]) -> torch.Tensor:
        """Accumulate the gradient of one replica, (metric + 1): batches, and the rows of a process, weigh by their
        targets. Gradients are averaged over processes, so each makes up for it.
        """
        forward, model, every = self.forwards[r], self.models[r].train(), sum(map(self.count, batches))
        total = torch.zeros((), device=self.regime.device)
        for i, batch in enumerate(batches, start=1):
            part, counts = self.world.shard_batch(batch)
            share = self.count(part) * counts / max(every, 1)
            part = self.place(model, part)
            with self.strategy.adding_up(forward, last=i == len(batches)):
                metrics, outputs = self.told(forward, model, part)
                if not share:
                    metrics = without_targets(metrics, outputs)
                self.scaler.scale(metrics["loss"] * (share * self.world.size)).backward()  # type: ignore[no-untyped-call]
            total = total + torch.stack([metrics[name].detach().float() for name in self.names]) * share
        self.scaler.unscale_(self.optimizers[r])
        norm = nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
        if self.regime.clip is not None:
            nn.utils.clip_grads_with_norm_(model.parameters(), self.regime.clip, norm)
        total, norm = self.world.total(total), full_tensor(norm)
        if not self.lazy:
            total, norm = total.cpu(), norm.cpu()
        skipped = self.scaler.is_enabled() and self.scaler.get_scale() > 1  # by fp16, which lowers its scale
        finite = torch.isfinite(norm) | skipped
        return torch.cat([total, (finite & torch.isfinite(total).all()).float().reshape(1)])

    def place(self, model: nn.Module, batch: Batch) -> Batch:
        """A batch on the device. An accelerator ends the process at an id or label that is beyond the model, without
        saying which: it is looked for before.
        """
        if self.regime.device.type != "cpu":
            check_vocabulary(model, batch)
            labels = batch.get("labels")
            if self.classes is not None and labels is not None and not labels.is_floating_point():
                check_classes(labels, self.classes)
        return self.regime.place(batch)

    def told(
        self, forward: Any, model: nn.Module, batch: Batch
    ) -> tuple[Mapping[str, torch.Tensor], Mapping[str, torch.Tensor]]:
        """The metrics of a batch, and what the model returned; `UserError` for an id or a label beyond the model."""
        try:
            with self.regime.autocast():
                outputs = forward(**batch)
                if "labels" in batch and outputs.get("logits") is not None:
                    self.classes = outputs["logits"].shape[-1]
                return self.loss(outputs, batch), outputs
        except IndexError as error:
            raise misfit(model, batch, error) from error

    @no_grad
    def evaluate(self, batch: Batch, scorers: Sequence[Scorer] = ()) -> torch.Tensor:
        """The metrics of a batch, (metric, replica); each replica's scorer, if there is one, sees its outputs."""
        part, counts = self.world.shard_batch(batch)
        own = self.count(part) * counts
        share = own / max(self.count(batch), 1) if self.world.size > 1 else 1.0
        part, found = self.place(self.models[0], part), []
        for r, model in enumerate(self.models):
            metrics, outputs = self.told(model, model.eval(), part)
            if not own:
                metrics = without_targets(metrics, outputs)
            if scorers:
                with self.regime.autocast():
                    scorers[r].take(outputs, part, counts, model=model)
            found.append(torch.stack([metrics[name].float() for name in self.names]) * share)
        return self.world.total(torch.stack(found, dim=1))

    def weights(self, replica: int, everywhere: bool = False) -> dict[str, torch.Tensor]:
        """A copy of a replica's weights on the CPU, in the first process or in every one."""
        return weights_of(self.models[replica], keep=everywhere or self.world.is_main)

    def module(self, replica: int) -> nn.Module:
        """A replica's module."""
        return self.models[replica]

    @no_grad
    def edit(self, change: Callable[[nn.Module], None]) -> None:
        """Change the parameters or buffers of every replica."""
        for model in self.models:
            change(model)

    def rates(self) -> list[float]:
        """The learning rate of each parameter group, the same for all replicas."""
        return [float(group["lr"]) for group in self.optimizers[0].param_groups]

    def state(self, replica: int) -> dict[str, Any]:
        """Optimizer and scheduler state of a replica, but for what is in `shards`."""
        optimizer = self.optimizers[replica].state_dict()
        return {
            "mode": "eager",
            "optimizer": optimizer | {"state": {}} if self.shards(replica) else optimizer,
            "scheduler": plain(self.schedulers[replica].state_dict()) if self.schedulers else None,
            "scaler": self.scaler.state_dict(),
        }

    def shards(self, replica: int) -> dict[str, torch.Tensor]:
        """The tensors of the optimizer's state, where the model is in shards."""
        return self.strategy.shards(self.models[replica], self.optimizers[replica])

    def load(
        self,
        replica: int,
        weights: Mapping[str, torch.Tensor],
        state: Mapping[str, Any] | None,
        shards: Path | None = None,
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
