"""The run that faults are tried on: a small model with dropout, trained on the bytes of a file.

python -m tests.faults.training_subject FOLDER --data FILE [--steps 40] ...
"""

import argparse
import itertools
import os
import random
import signal
import time
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from semeqv.train.optimizers import AdamW
from semeqv.train.randomness import seed_everything
from semeqv.train.saver import DefaultSaver
from semeqv.train.schedulers import Cosine
from semeqv.train.trainer import Trainer

ROWS, LENGTH = 8, 16


class Bytes:
    """The bytes of a file, in an order that the seed and the position say."""

    def __init__(self, path):
        self.path = Path(path)
        self.bytes = torch.tensor(list(self.path.read_bytes()), dtype=torch.long)

    def facts(self):
        return {"files": {str(self.path): checkpoint.sha256(self.path)}}

    def __len__(self):
        return 10

    def batch(self, *numbers):
        generator = torch.Generator().manual_seed(hash(numbers))
        starts = torch.randint(len(self.bytes) - LENGTH, (ROWS, 1), generator=generator)
        return {"input_ids": self.bytes[starts + torch.arange(LENGTH)]}

    def stream(self, seed, start=0):
        for position in itertools.count(start):
            yield self.batch(seed, position)

    def batches(self):
        return (self.batch(10_000, i) for i in range(3))


class Model(nn.Module):
    """Predicts a byte from the one before; draws from three generators, so that all must be resumed.

    Args:
        size: Of the embeddings.
        poison: Where the value of the batch at this step, counted from 1, is spoilt: `loss:7` or `gradient:7`.
    """

    def __init__(self, size=32, poison=None):
        super().__init__()
        self.embedding, self.hidden, self.head = nn.Embedding(256, size), nn.Linear(size, size), nn.Linear(size, 256)
        self.dropout = nn.Dropout(0.2)
        self.kind, _, at = (poison or "none:0").partition(":")
        self.at, self.steps = int(at), 0

    def forward(self, input_ids):
        hidden = self.dropout(torch.relu(self.hidden(self.embedding(input_ids[:, :-1]))))
        if self.training:
            hidden = hidden * (1 + 0.1 * random.random())
            self.steps += 1
        loss = nn.functional.cross_entropy(self.head(hidden).flatten(0, 1), input_ids[:, 1:].flatten())
        if self.training and self.steps == self.at:
            spoilt = self.head.bias.sum() * 0
            loss = loss + (spoilt.log() if self.kind == "loss" else spoilt.abs().sqrt())  # the root has no slope at 0
        return {"loss": loss}


def trainer(folder, data, *, steps=40, every=10, size=32, poison=None, skip=0, seed=1, **saver):
    """The Trainer of the run."""
    seed_everything(seed)
    made = Trainer().set_model(Model(size, poison)).set_seed(seed).set_output(folder).set_device("cpu").set_steps(steps)
    made.set_trainsplit(Bytes(data)).set_validsplit(Bytes(data)).set_skip_nonfinite(skip).set_clip(1.0)
    made.set_optimizer(AdamW(learning_rate=3e-3)).set_scheduler(Cosine(tmax=100)).set_threads(1)
    return made.set_saver(DefaultSaver(resume=True, savebest=True, mode="min", etc=every // 10, **saver).build())


def die_at(call):
    """Be killed in place of the call of this number among those that make files last: open, fsync, rename."""
    count = [0]

    def counted(function):
        def run(*args, **kwargs):
            count[0] += 1
            if count[0] == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return run

    os.fsync, os.replace, os.open, os.truncate = map(counted, (os.fsync, os.replace, os.open, os.truncate))


def main(arguments=None):
    """Train; exit as the command would."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--data", required=True)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--poison")
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--die_at", type=int)
    parser.add_argument("--slow_save", type=float, default=0.0)
    said = parser.parse_args(arguments)
    if said.die_at:
        die_at(said.die_at)
    if said.slow_save:
        write = safetensors.torch.save_file

        def slowly(*what, **how):
            time.sleep(said.slow_save)
            write(*what, **how)

        safetensors.torch.save_file = slowly
    try:
        trainer(said.folder, said.data, steps=said.steps, every=said.every, poison=said.poison, skip=said.skip).train()
    except UserError as error:
        print(f"Error: {error}", flush=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
