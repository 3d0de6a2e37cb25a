"""The processes of a run: one, or several that `torchrun` started.

Every process reads the same batches and takes its own rows, sees the metrics of the whole batch, and comes to the same
decisions; the first one writes. What the processes tell each other goes through the CPU, so that no accelerator waits
for it.
"""

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from semeqv.engine.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
LAUNCHERS = {"SLURM_STEP_NUM_TASKS": "srun", "OMPI_COMM_WORLD_SIZE": "mpirun", "PMI_SIZE": "mpiexec"}


@dataclass(frozen=True)
class World:
    """A process among those of its run.

    Args:
        rank: Its number, from 0.
        size: How many there are.
        local_rank: Its number on its machine, which is also that of its accelerator.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @classmethod
    def here(cls) -> "World":
        """This process, as `torchrun` describes it in the environment; alone when there is no such description."""
        numbers = []
        for name, usual in (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0")):
            value = os.environ.get(name, usual)
            if not value.isdecimal():
                raise UserError(f"The environment says {name}={value}, which is no number. Unset it, or use torchrun.")
            numbers.append(int(value))
        return cls(*numbers)

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def compare(self, requested: int | None) -> None:
        """Compare the processes that are wanted with those that there are.

        Args:
            requested: How many are wanted; None for any number.

        Raises:
            UserError: When there are more or fewer, or a launcher started several that do not know of each other.
        """
        for name, launcher in LAUNCHERS.items():
            if "WORLD_SIZE" not in os.environ and int(os.environ.get(name) or 1) > 1:
                raise UserError(
                    f"{launcher} started {os.environ[name]} processes that do not know of each other; each would do "
                    f"the whole run. Let {launcher} start one on each machine, and that one: torchrun -m semeqv ..."
                )
        if requested is not None and requested != self.size:
            raise UserError(
                f"--processes {requested} asks for {requested} process{'es' * (requested > 1)}, but there "
                f"{'is' if self.size == 1 else 'are'} {self.size}. Start them by: "
                f"torchrun --nproc_per_node {requested} -m semeqv --processes {requested} ..."
            )

    def hush(self) -> None:
        """Let only the first process speak."""
        if not self.first:
            sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115

    def speak(self) -> None:
        """Let this process speak; if it is not the first, a second later, as the launcher may end it before that."""
        if not self.first:
            time.sleep(1.0)
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__

    def join(self, accelerator: bool, minutes: float) -> None:
        """Meet the other processes, once.

        Args:
            accelerator: Whether tensors on CUDA devices are exchanged too.
            minutes: How long to wait for a process that does not answer, now and later.

        Raises:
            UserError: When nothing says where they meet.
        """
        import datetime

        import torch
        from torch import distributed

        if self.size == 1 or distributed.is_initialized():
            return
        if "MASTER_ADDR" not in os.environ:
            raise UserError(
                f"The environment says WORLD_SIZE={self.size}, but no launcher says where the processes meet "
                "(MASTER_ADDR). Unset WORLD_SIZE, or start by: torchrun -m semeqv ..."
            )
        if accelerator:
            torch.cuda.set_device(self.local_rank)
        backend = "cpu:gloo,cuda:nccl" if accelerator else "gloo"
        distributed.init_process_group(backend, timeout=datetime.timedelta(minutes=minutes))

    @contextlib.contextmanager
    def company(self) -> Iterator[None]:
        """Say in a line when another process is gone.

        Raises:
            RuntimeError: What is about something else.
            UserError: In place of what gloo or NCCL have to say of it.
        """
        try:
            yield
        except RuntimeError as error:
            said = str(error)
            if self.size == 1 or not any(word in said for word in ("gloo", "Gloo", "NCCL", "TCPStore")):
                raise
            reason = re.sub(r"^\[[^\]]*\]\s*", "", said.splitlines()[0]).split(". ")[0]
            raise UserError(
                f"Process {self.rank} of {self.size} lost another one ({reason}). Start the run again with "
                "--resume (on the saver)."
            ) from error

    def leave(self) -> None:
        """Part from the other processes, all at the same point."""
        if self.size > 1:
            from torch import distributed

            if distributed.is_initialized():
                distributed.destroy_process_group()

    def part(self, batch: "Mapping[str, Tensor]") -> "tuple[Mapping[str, Tensor], bool]":
        """This process's rows of a batch.

        Args:
            batch: Tensors whose first dimension is the rows; others go to every process whole.

        Returns:
            The rows, and whether they count: a process for which none is left gets the first row, which does not,
            as no process may be missing when gradients are added up.
        """
        if self.size == 1:
            return batch, True
        rows = len(next(iter(batch.values())))
        start, end = self.rank * rows // self.size, (self.rank + 1) * rows // self.size
        own = slice(start, end) if start < end else slice(0, 1)
        return {
            name: each[own] if each.dim() and len(each) == rows else each for name, each in batch.items()
        }, start < end

    def total(self, tensor: "Tensor") -> "Tensor":
        """The sum of a tensor over all processes; of several, it is on the CPU."""
        if self.size == 1:
            return tensor
        from torch import distributed

        tensor = tensor.cpu()
        distributed.all_reduce(tensor)
        return tensor

    def largest(self, *values: int) -> list[int]:
        """The largest of each number over all processes."""
        if self.size == 1:
            return list(values)
        import torch
        from torch import distributed

        tensor = torch.tensor(values)
        distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
        return tensor.tolist()

    def each(self, value: T) -> list[T]:
        """The value of every process, by rank."""
        if self.size == 1:
            return [value]
        from torch import distributed

        found: list[Any] = [None] * self.size
        distributed.all_gather_object(found, value)
        return found

    def by_first(self, act: Callable[[], T]) -> T:
        """Let the first process do something while the others wait.

        Args:
            act: What it does.

        Returns:
            What came of it, in every process; so does a `UserError`.

        Raises:
            UserError: When the first process raised it.
        """
        if self.size == 1:
            return act()
        from torch import distributed

        outcome: list[Any] = [None, None]
        if self.first:
            try:
                outcome[0] = act()
            except UserError as error:
                outcome[1] = str(error)
        distributed.broadcast_object_list(outcome)
        if outcome[1] is not None:
            raise UserError(outcome[1])
        return outcome[0]  # type: ignore[no-any-return]
