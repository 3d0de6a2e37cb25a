"""What a checkpoint takes from models and schedulers."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from semeqv.train.strategies import whole


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
