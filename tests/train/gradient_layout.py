"""What the test of the layout of gradients starts: `gradient_layout.py FOLDER` trains as three processes.

Process 0 writes what it found as JSON.
"""

import json
import multiprocessing
import os
import socket
import sys
from pathlib import Path

import torch
from torch import nn

from semeqv.runs.processes import World
from semeqv.train.optimizers import SGD
from semeqv.train.randomness import seed_everything
from semeqv.train.saver import DefaultSaver
from semeqv.train.trainer import Trainer

PROCESSES = 3  # two would add the same two numbers in any order
WIDTH = 40


class Reversed(nn.Module):
    """A network whose gradients come in the order of its parameters, not in the reverse one that is expected."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(WIDTH, WIDTH)
        self.first = nn.Linear(WIDTH, WIDTH)

    def forward(self, given, wanted):
        return {"loss": (self.last(self.first(given).tanh()) - wanted).square().mean()}


class Noise:
    """Random rows, one for each process."""

    def __len__(self):
        return 10

    def stream(self, seed, start=0):
        while True:
            generator = torch.Generator().manual_seed(start)
            yield {name: torch.randn(PROCESSES, WIDTH, generator=generator) for name in ("given", "wanted")}
            start += 1


def trained(folder, steps):
    """Train in a folder, on from where it stands, up to a step; returns the weights as numbers."""
    seed_everything(7)
    trainer = Trainer().set_model(Reversed()).set_trainsplit(Noise()).set_optimizer(SGD(learning_rate=10))
    trainer.set_steps(steps).set_device("cpu").set_compile(False).set_bars(False, False, False, False)
    trainer.set_output(folder).set_saver(DefaultSaver(resume=True).build()).train()
    return [number for each in trainer.models[0].parameters() for number in each.flatten().tolist()]


def process(rank, port, folder):
    """Train as one of the processes: in two runs, the second of which resumes the first, and in one."""
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": PROCESSES, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in names.items()})
    torch.set_num_threads(1)
    World.here().join(False, minutes=1)
    found = {
        "whole": trained(folder / "whole", 3),
        "stopped": trained(folder / "resumed", 2),
        "resumed": trained(folder / "resumed", 3),
    }
    if rank == 0:
        (folder / "weights.json").write_text(json.dumps(found))
    World.here().leave()


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        chosen = free.getsockname()[1]
    context = multiprocessing.get_context("fork")  # all that is imported is imported once
    work = [context.Process(target=process, args=(rank, chosen, Path(sys.argv[1]))) for rank in range(PROCESSES)]
    for each in work:
        each.start()
    for each in work:
        each.join()
    sys.exit(any(each.exitcode for each in work))
