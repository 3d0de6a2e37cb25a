"""An accelerator made of this machine's CPU: the device `emulated`.

Its tensors hold their values on the CPU, but say that they are on the device, and every operation refuses to mix them
with tensors of the CPU, as CUDA does: what a run forgets to move is found without a GPU, with real values, gradients
and control flow. It has no float64, as MPS has none. It computes nothing faster, and cannot be compiled for.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_map

NAME = "emulated"
# These take tensors of both kinds on CUDA, too: copies, and indices that lie on the CPU.
MIXING = ("_to_copy", "copy_", "_copy_from", "index", "index_put", "index_put_", "_index_put_impl_", "set_")
# Operations that make a tensor from none; the others of the kind are composed of these.
MAKING = ("empty.memory_format", "empty_strided", "arange", "arange.start", "arange.start_step", "eye", "eye.m")
DOUBLES = (torch.float64, torch.complex128)


LIBRARIES: list[torch.library.Library] = []  # a library takes its operations back when it is freed


class MixedDevices(RuntimeError):
    """An operation on tensors of several devices."""


class Emulated(torch.Tensor):
    """A tensor that says it is on the device.

    Args:
        values: Its values, on the CPU.
    """

    values: torch.Tensor

    @staticmethod
    def __new__(cls, values: torch.Tensor) -> "Emulated":
        if values.dtype in DOUBLES:
            raise TypeError(f"The device {NAME} has no {values.dtype}; move the tensor to the CPU first.")
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            values.size(),
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            device=torch.device(NAME, 0),
        )
        made.values = values
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"Emulated({self.values})"

    def numpy(self, *, force: bool = False) -> Any:
        """Refuse, unless forced: an accelerator's memory is no array."""
        if not force:
            raise TypeError(f"can't convert {NAME}:0 device type tensor to numpy")
        return self.values.detach().numpy()

    def tolist(self) -> Any:
        """Return the values as numbers, as an accelerator does."""
        return self.values.tolist()

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(function, args, kwargs or {})


def compute(function: Any, args: Any, kwargs: Any) -> Any:
    """Compute an operation on the values; what comes of it is on the device, unless it was asked to be elsewhere."""
    name = function._schema.name.removeprefix("aten::")
    tensors = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, torch.Tensor)]
    if name not in MIXING:
        for each in tensors:
            if not isinstance(each, Emulated) and each.dim():
                found = sorted({str(tensor.device) for tensor in tensors})
                raise MixedDevices(f"{name}: expected all tensors on one device, found {', '.join(found)}")
    asked = kwargs.get("device")
    moved = {**kwargs, "device": torch.device("cpu")} if asked is not None else kwargs
    result = function(*tree_map(values_of, args), **tree_map(values_of, moved))
    written = list(written_to(function, args, kwargs))
    if written:
        for each in written:  # it may have been resized, or given other memory
            if isinstance(each, Emulated) and each.values.size() != each.size():
                raise NotImplementedError(f"{name} resizes a tensor of the device {NAME}")
        if result is None:
            return None
        return written[0] if isinstance(result, torch.Tensor) else tuple(written)
    if asked is not None and torch.device(asked).type == "cpu":
        return result
    return tree_map(lambda each: Emulated(each) if isinstance(each, torch.Tensor) else each, result)


def values_of(value: Any) -> Any:
    """Return the values of a tensor of the device; anything else as it is."""
    return value.values if isinstance(value, Emulated) else value


def written_to(function: Any, args: Any, kwargs: Any) -> Iterator[Any]:
    """Yield the arguments that an operation writes to."""
    for i, argument in enumerate(function._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[i] if i < len(args) else kwargs.get(argument.name)
            yield from value if isinstance(value, (list, tuple)) else (value,)


class Module:
    """What torch asks the module of a kind of device (`torch.emulated`)."""

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        """Do nothing: numbers are drawn by the generator of the CPU."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]

    def get_rng_state(self, device: Any = None) -> torch.Tensor:
        return torch.get_rng_state()

    def set_rng_state(self, state: torch.Tensor, device: Any = None) -> None:
        torch.set_rng_state(state)


def register() -> bool:
    """Make the device known to torch; autograd must learn of it before its first backward pass.

    Returns:
        Whether this version of torch knows such devices.
    """
    try:
        from torch.utils.backend_registration import _setup_privateuseone_for_python_backend
    except ImportError:
        return False
    _setup_privateuseone_for_python_backend(NAME, backend_module=Module())
    library = torch.library.Library("aten", "IMPL")
    for name in MAKING:
        library.impl(name, partial(made, operation(name)), "PrivateUse1")
    library.impl("_copy_from", copy, "PrivateUse1")
    autocast = torch.library.Library("_", "IMPL")
    autocast.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    LIBRARIES.extend((library, autocast))
    return True


def operation(name: str) -> Any:
    """Return an operation of torch by its name with its overload."""
    packet, _, overload = name.partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")


def made(function: Any, *args: Any, **kwargs: Any) -> Emulated:
    """Make a tensor on the device by an operation that takes none."""
    return Emulated(function(*args, **{**kwargs, "device": torch.device("cpu"), "pin_memory": False}))


def copy(source: torch.Tensor, target: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
    """Copy values to the device, or from it."""
    values_of(target).copy_(values_of(source))
    return target


REGISTERED = register()
