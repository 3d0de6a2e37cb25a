"""What the Trainer adds to the bare program: the loop, data, logging, distances, validation, checkpoints."""

import contextlib
import io
import tempfile
from pathlib import Path

import torch

from benchmarks import replicas
from benchmarks.paired import Row, pairs, summary
from semeqv.cli import main
from semeqv.train.compute import ComputeConfig
from semeqv.train.losses import cross_entropy
from semeqv.train.optimizers import AdamW
from semeqv.train.randomness import seed_everything
from semeqv.train.replicas import VmappedReplicas
from semeqv.train.schedulers import Cosine
from semeqv.train.trainer import Trainer

SENTENCE = """--seeds 42..46 --etv 100 --threads 1
 cli xor dataset default --size 7 --zero_dst .1 .9 --one_dst .5 .5 --batch_size 1024 --drop_last False
 cli xor dataset default --size 7 --zero_dst .1 .9 --one_dst .5 .5 --batch_size 1024 --drop_last False
   --split validation --draws 80
 cli xor model transformer --layers 1 --heads 1 --embedding_size 4 --feedforward_size 4 --activation gelu --tie both
 cli loss cross-entropy
 cli optimizers adamw --learning_rate 5e-4 --weight_decay .1 --eps 1e-12
 cli schedulers cosine --tmax 10000 --lrmin 1e-5
 cli callbacks cdists --etc 500
 cli savers default-saver --savebest True --minutes 1 --resume
 cli train"""
STEPS = 20_000


class Rounds:
    """The main experiment, trained on in rounds of so many steps: what a round costs, compilation long past."""

    def __init__(self, folder: Path):
        self.folder, self.trainer, self.rounds = folder, None, 0

    def __call__(self) -> None:
        """Train for one round more."""
        self.rounds += 1
        if self.trainer is None:
            train = Trainer.train

            def kept(trainer):
                self.trainer = trainer
                return train(trainer)

            Trainer.train = kept
            try:
                words = ["--output", str(self.folder), "--steps", str(STEPS), *SENTENCE.split()]
                with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
                    main(words)
            finally:
                Trainer.train = train
        else:
            self.trainer.set_steps(self.rounds * STEPS)
            self.trainer.loop()


def run() -> list[Row]:
    """The Trainer against the program, with and without its data."""
    torch.set_num_threads(1)
    data, batches, _ = replicas.prepared(200)
    options, _ = replicas.MODELS["transformer-small"]
    networks = []
    for seed in replicas.SEEDS:
        for variant in (False, True):
            seed_everything(seed)
            networks.append(type(options)(**{**vars(options), "tie": variant}).build(data))
    optimizer = AdamW(learning_rate=5e-4, weight_decay=0.1, eps=1e-12).build
    program = VmappedReplicas(
        networks, optimizer, Cosine(lrmin=1e-5).build, cross_entropy, ComputeConfig(torch.device("cpu"), compile=True)
    )
    program.names = ("loss", "accuracy")

    stream = data.replica_stream([seed for seed in replicas.SEEDS for _ in (0, 1)])

    def fed() -> None:
        for _ in range(STEPS):
            program.step([next(stream)])

    def prepared() -> None:
        for _ in range(STEPS // len(batches)):
            for batch in batches:
                program.step([batch])

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        ours = Rounds(Path(folder) / "run")
        for peer, what, goal in ((fed, "the program and its data alone", 0.8), (prepared, "the program alone", None)):
            found = pairs(ours, peer, rounds=5)
            scale = 1e6 / STEPS
            medians = summary([a * scale for a, *_ in found], [b * scale for _, _, b, _ in found])
            compares = (
                "CPU per step of ten replicas, one thread: all that the run does (data, distances, validation, "
                f"logging, checkpoints) against {what}" + ("; the goal is at most 25% more" if goal else "")
            )
            rows.append(Row(f"the main XOR experiment under the Trainer, and {what}", *medians, "us", compares, goal))
    return rows
