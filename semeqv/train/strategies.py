"""How a model is spread over the processes of a run: not at all, as copies (DDP), or in shards (FSDP2).

What torch offers for that is imported when it is used: a run of one process need not wait a second for it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from semeqv.lazy import nn, torch
from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.train.compute import AUTOCAST, ComputeConfig

Forward = Callable[..., Any]
Rehearsal: TypeAlias = "Callable[[nn.Module, torch.device, bool], set[str]]"


class SingleProcess:
    """One process: the model as it is."""

    name = "alone"

    def wrap(self, model: nn.Module, regime: ComputeConfig, world: World, rehearse: Rehearsal) -> Forward:
        """Spread a model.

        Args:
            model: The model; it is changed in place.
            regime: The device of this process, and the precision of its passes.
            world: The processes.
            rehearse: Takes the model, on the device that is named, through a forward pass, and a backward pass too if
                asked for; returns the parameters that have no gradient then.

        Returns:
            What computes its outputs, in place of the model.
        """
        return model.to(regime.device)

    @contextlib.contextmanager
    def adding_up(self, forward: Forward, last: bool) -> Iterator[None]:
        """A forward and backward pass; the gradients of the processes are added up after the last one of a step."""
        yield

    def load(self, model: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
        """Give a model, spread already, all its weights."""
        model.load_state_dict(weights)

    def shards(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
        """The part of the optimizer's state that every process saves for itself, by name."""
        return {}


class DDP(SingleProcess):
    """A copy of the model in every process (DistributedDataParallel; Li et al., 2020, arXiv 2006.15704)."""

    name = "ddp"

    def wrap(self, model: nn.Module, regime: ComputeConfig, world: World, rehearse: Rehearsal) -> Forward:
        """Wrap the model, which stays whole."""
        device = regime.device
        unused = rehearse(model.to(device), device, True)
        ids = [device.index] if device.type == "cuda" else None
        copies = torch.nn.parallel.DistributedDataParallel(model, device_ids=ids, find_unused_parameters=bool(unused))
        if not unused:
            # After its first backward pass it lays gradients out anew, and so adds those of three processes or more in
            # another order: the first step of a resumed run would round otherwise than that of an uninterrupted one.
            rehearse(copies, device, True)
        return copies

    @contextlib.contextmanager
    def adding_up(self, forward: Forward, last: bool) -> Iterator[None]:
        """Without communication, unless it is the last pass."""
        with contextlib.nullcontext() if last else original(forward).no_sync():
            yield


class FSDP(SingleProcess):
    """Parameters, gradients and optimizer state in shards, gathered block by block (FSDP2; Zhao et al., 2023, arXiv
    2304.11277).
    """

    name = "fsdp"

    def wrap(self, model: nn.Module, regime: ComputeConfig, world: World, rehearse: Rehearsal) -> Forward:
        """Shard the model in place, block by block: it is never whole on the device.

        In bf16 the shards are gathered in bf16, which halves what is sent and held, while the weights themselves and
        the sums of gradients stay in fp32.
        """
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

        policy = MixedPrecisionPolicy(
            param_dtype=getattr(torch, AUTOCAST.get(regime.precision, ""), None), reduce_dtype=torch.float32
        )
        shard = partial(fully_shard, mesh=init_device_mesh(regime.device.type, (world.size,)), mp_policy=policy)
        warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view tensor")
        for block in blocks(model, partial(rehearse, model, torch.device("cpu"), False)):
            shard(block)
        shard(model)
        return model

    @contextlib.contextmanager
    def adding_up(self, forward: Forward, last: bool) -> Iterator[None]:
        """Gradients stay where they are, unless it is the last pass."""
        original(forward).set_requires_gradient_sync(last)
        yield

    def load(self, model: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
        """Give every process its shards of the weights."""
        from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict

        set_model_state_dict(model, dict(weights), options=StateDictOptions(full_state_dict=True))

    def shards(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
        """All tensors of the optimizer's state."""
        return {
            f"{name}/{key}": value
            for name, parameter in model.named_parameters()
            for key, value in optimizer.state.get(parameter, {}).items()
            if isinstance(value, torch.Tensor)
        }


STRATEGIES: dict[str, type[SingleProcess]] = {each.name: each for each in (DDP, FSDP)}


def original(forward: Any) -> Any:
    """The module in what `torch.compile` may have made of it."""
    return getattr(forward, "_orig_mod", forward)


def blocks(model: nn.Module, rehearse: Callable[[], object]) -> list[nn.Module]:
    """The modules that are sharded one by one.

    Args:
        model: A Hugging Face model names their classes.
        rehearse: Takes the model through a forward pass.

    Returns:
        Modules of those classes; else those members of a `nn.ModuleList` that the forward pass calls, as a member whose
        parameters are only looked at would never be gathered. Inner ones first.
    """
    if named := set(getattr(model, "_no_split_modules", None) or ()):
        return [module for module in model.modules() if type(module).__name__ in named][::-1]
    called = set[nn.Module]()
    members = [each for module in model.modules() if isinstance(module, nn.ModuleList) for each in module]
    hooks = [each.register_forward_pre_hook(lambda module, _: called.add(module)) for each in members]
    rehearse()
    for hook in hooks:
        hook.remove()
    return [each for each in members[::-1] if each in called]


def full_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor with all its shards; every process must ask."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def save_shards(shards: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Write the shards of every process, as safetensors.

    Args:
        shards: Name to tensor.
        folder: Where to; the same in every process.

    Raises:
        UserError: In every process, when one cannot write.
    """
    from torch.distributed.checkpoint.api import CheckpointException
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageWriter
    from torch.distributed.checkpoint.state_dict_saver import save

    try:
        save(dict(shards), storage_writer=HuggingFaceStorageWriter(str(folder), save_distributed=True))
    except CheckpointException as error:
        rank, (reason, _) = next(iter(error.failures.items()))
        raise UserError(f"Process {rank} cannot write {folder}: {reason}. Earlier checkpoints are intact.") from error


def load_shards(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Read this process's shards of an optimizer's state.

    A number of the state (Adam's count of steps) is put where the optimizer keeps it: beside the parameter, when its
    kernels read it there (fused or capturable), else on the CPU.
    """
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader
    from torch.distributed.checkpoint.metadata import TensorStorageMetadata
    from torch.distributed.checkpoint.state_dict_loader import load

    reader = HuggingFaceStorageReader(str(folder))
    parameters, state = dict(model.named_parameters()), dict[str, torch.Tensor]()
    beside = {
        p for each in optimizer.param_groups if each.get("fused") or each.get("capturable") for p in each["params"]
    }
    for name, found in reader.read_metadata().state_dict_metadata.items():
        parameter = parameters[name.rpartition("/")[0]]
        assert isinstance(found, TensorStorageMetadata)
        place = parameter.device if parameter in beside else torch.device("cpu")
        number = torch.zeros(found.size, dtype=found.properties.dtype, device=place)
        state[name] = torch.zeros_like(parameter) if found.size == parameter.shape else number
    load(state, storage_reader=reader)
    for name, tensor in state.items():
        of, _, key = name.rpartition("/")
        optimizer.state[parameters[of]][key] = tensor


def weights_of(module: nn.Module, keep: bool = True) -> dict[str, torch.Tensor]:
    """The weights of a module, copied to the CPU.

    Args:
        module: Its parameters may be in shards; then every process must ask.
        keep: Whether this process wants them.

    Returns:
        Name to tensor. Where several names mean one tensor (tied weights), only the first is there.
    """
    found, seen = dict[str, torch.Tensor](), set[int]()
    for name, tensor in module.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            full = full_tensor(tensor.detach())
            if keep:
                found[name] = full.to("cpu", copy=True)
    return found


def with_tied(module: nn.Module, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights by all names of a module, those that mean one tensor too (what `weights_of` leaves out)."""
    state = module.state_dict(keep_vars=True)
    said = {id(state[name]): weights[name] for name in weights if name in state}
    return dict(weights) | {name: said[id(tensor)] for name, tensor in state.items() if id(tensor) in said}


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
    return value is None or isinstance(value, bool | int | float | str | torch.Tensor)
