"""The processes of a run: one, or several that `torchrun` started.

Every process reads the same batches and takes its own rows, sees the metrics of the whole batch, and comes to the same
decisions; the first one writes. What the processes tell each other goes through the CPU, so that no accelerator waits
for it.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from semeqv.lazy import torch
from semeqv.runs.errors import UserError
from semeqv.runs.signals import end_with_parent

S = TypeVar("S")
T = TypeVar("T")
PREPARING = 30  # days that processes wait for one that prepares something: a corpus may take hours
GROUPS: dict[str, Any] = {}  # the group by which they do so, once they have met
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
    apart: ClassVar[bool] = False

    @classmethod
    def here(cls) -> World:
        """This process, as `torchrun` describes it in the environment; alone when there is no such description."""
        if cls.apart:
            return cls()
        numbers = []
        for name, usual in (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0")):
            value = os.environ.get(name, usual)
            if not value.isdecimal():
                raise UserError(f"The environment says {name}={value}, which is no number. Unset it, or use torchrun.")
            numbers.append(int(value))
        rank, size, local_rank = numbers
        if rank >= size or local_rank >= size:
            name, number = ("RANK", rank) if rank >= size else ("LOCAL_RANK", local_rank)
            raise UserError(
                f"The environment says {name}={number} and WORLD_SIZE={size}, but processes are numbered from 0 to "
                "WORLD_SIZE - 1. Unset both, or use torchrun."
            )
        return cls(rank, size, local_rank)

    @classmethod
    @contextlib.contextmanager
    def alone(cls) -> Iterator[None]:
        """Let this process do something by itself: for `here` it is the only one until the end."""
        before, cls.apart = cls.apart, True
        try:
            yield
        finally:
            cls.apart = before

    @property
    def is_main(self) -> bool:
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

    def silence_other_ranks(self) -> None:
        """Let only the first process speak."""
        if not self.is_main:
            sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115

    def restore_output(self) -> None:
        """Let this process speak; if it is not the first, a second later, as the launcher may end it before that."""
        if not self.is_main:
            time.sleep(1.0)
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__

    def join(self, accelerator: bool, minutes: float) -> None:
        """Meet the other processes, once.

        Args:
            accelerator: Whether tensors on CUDA devices are exchanged too.
            minutes: How long to wait for a process that does not answer, now and later; those that wait for one that
                prepares something (see `on_main`) wait as long as it lives.

        Raises:
            UserError: When nothing says where they meet.
        """
        if self.size == 1 or torch.distributed.is_initialized():
            return
        if "MASTER_ADDR" not in os.environ:
            raise UserError(
                f"The environment says WORLD_SIZE={self.size}, but no launcher says where the processes meet "
                "(MASTER_ADDR). Unset WORLD_SIZE, or start by: torchrun -m semeqv ..."
            )
        # A launcher that is killed, or ends by a signal that it does not pass on, would leave its processes running.
        end_with_parent(signal.SIGTERM, os.getppid())
        if accelerator:
            torch.cuda.set_device(self.local_rank)
        backend = "cpu:gloo,cuda:nccl" if accelerator else "gloo"
        torch.distributed.init_process_group(backend, timeout=datetime.timedelta(minutes=minutes))
        GROUPS["patient"] = torch.distributed.new_group(backend="gloo", timeout=datetime.timedelta(days=PREPARING))

    @contextlib.contextmanager
    def peer_failure_as_user_error(self) -> Iterator[None]:
        """Say in a line when another process is gone.

        Raises:
            RuntimeError: What is about something else.
            UserError: In place of what gloo or NCCL have to say of it.
        """
        try:
            yield
        except RuntimeError as error:
            said = str(error)
            known = isinstance(error, torch.distributed.DistError) or any(
                word in said for word in ("gloo", "Gloo", "NCCL", "TCPStore")
            )
            if self.size == 1 or not known:
                raise
            reason = re.sub(r"^\[[^\]]*\]\s*", "", said.splitlines()[0]).split(". ")[0]
            raise UserError(
                f"Process {self.rank} of {self.size} lost another one ({reason}). Start the run again with "
                "--resume (on the saver)."
            ) from error

    def leave(self) -> None:
        """Part from the other processes, all at the same point."""
        if self.size > 1 and torch.distributed.is_initialized():
            self.on_main(lambda: None)  # it may still measure something
            GROUPS.clear()
            torch.distributed.destroy_process_group()

    def shard_batch(self, batch: Mapping[str, torch.Tensor]) -> tuple[Mapping[str, torch.Tensor], bool]:
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

    def total(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor over all processes; of several, it is on the CPU."""
        if self.size == 1:
            return tensor

        tensor = tensor.cpu()
        torch.distributed.all_reduce(tensor)
        return tensor

    def largest(self, *values: int) -> list[int]:
        """The largest of each number over all processes."""
        if self.size == 1:
            return list(values)

        tensor = torch.tensor(values)
        torch.distributed.all_reduce(tensor, torch.distributed.ReduceOp.MAX)
        return tensor.tolist()

    def all_gather(self, value: T) -> list[T]:
        """The value of every process, by rank."""
        if self.size == 1:
            return [value]

        found: list[Any] = [None] * self.size
        torch.distributed.all_gather_object(found, value)
        return found

    def on_main(self, act: Callable[[], T]) -> T:
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

        outcome: list[Any] = self.attempt(act) if self.is_main else [None, None]
        torch.distributed.broadcast_object_list(outcome, group=GROUPS.get("patient"))
        if outcome[1] is not None:
            raise UserError(outcome[1])
        return outcome[0]  # type: ignore[no-any-return]

    def once(self, folder: Path, act: Callable[[], T]) -> T:
        """Let one process do something for all that share a folder, while the others wait.

        Machines that share no disk have a folder of their own under the same name; there the first process of each
        machine does it.

        Args:
            folder: The folder in which something is made; it is made itself, if need be.
            act: What makes it.

        Returns:
            What came of it: in every process that which was made in its own folder. Raises `UserError` as
            `attempt_each` does.
        """
        leader = self.leader(folder)
        return self.attempt_each(act if leader == self.rank else lambda: None)[leader]  # type: ignore[return-value]

    def leader(self, folder: Path) -> int:
        """Return the process that makes things in a folder for this one: the first of those that see the same folder.

        Machines either share a disk with the first one, or have a disk of their own.
        """
        return 0 if self.size == 1 or self.shares(folder) else self.rank - self.local_rank

    def attempt_each(self, act: Callable[[], T]) -> list[T]:
        """Let every process do something that may take long, and wait for all.

        Args:
            act: What this process does.

        Returns:
            What came of it in every process, by rank.

        Raises:
            UserError: When one of them raised it; in every process, with the words of the first that did.
        """
        if self.size == 1:
            return [act()]

        outcomes: list[Any] = [None] * self.size
        torch.distributed.all_gather_object(outcomes, self.attempt(act), group=GROUPS.get("patient"))
        for _, wrong in outcomes:
            if wrong is not None:
                raise UserError(wrong)
        return [found for found, _ in outcomes]

    def distribute(self, items: Sequence[S], act: Callable[[Sequence[S]], Sequence[T]]) -> list[T]:
        """Share work out among the processes: each does every n-th item.

        Args:
            items: The same in every process.
            act: Does some of them.

        Returns:
            What came of each item, in their order, in every process. Raises `UserError` as `attempt_each` does.
        """
        found = self.attempt_each(lambda: act(items[self.rank :: self.size]))
        return [found[i % self.size][i // self.size] for i in range(len(items))]

    def shares(self, folder: Path) -> bool:
        """Return whether this process sees the same folder as the first one: whether a new file in it is seen here."""
        probe = folder / f".seen-{self.on_main(lambda: secrets.token_hex(8))}"
        if self.is_main:
            with contextlib.suppress(OSError):  # whoever writes there says so
                folder.mkdir(parents=True, exist_ok=True)
                probe.touch()
        self.all_gather(None)
        seen = self.is_main or probe.exists()
        self.all_gather(None)
        if self.is_main:
            probe.unlink(missing_ok=True)
        return seen

    def cores(self) -> int:
        """Return how many cores this process has for itself, where each is divided among those that may use it."""
        own = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
        machine = self.rank - self.local_rank
        others = [cores for each, cores in self.all_gather((machine, own)) if each == machine]
        return max(round(sum(1 / sum(core in each for each in others) for core in own)), 1)

    def attempt(self, act: Callable[[], T]) -> list[Any]:
        """Do something; returns what came of it, and the words of a `UserError` (None without one)."""
        try:
            return [act(), None]
        except UserError as error:
            return [None, str(error)]

    def broadcast(self, tensors: Iterable[torch.Tensor]) -> None:
        """Overwrite tensors of the CPU with those that the first process has."""
        if self.size == 1:
            return

        for tensor in tensors:
            torch.distributed.broadcast(tensor, 0, group=GROUPS.get("patient"))
