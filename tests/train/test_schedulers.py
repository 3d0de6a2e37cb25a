"""Schedules that fall to the end of the run."""

import math
import re

import pytest
from test_trainer import Points, points

from semeqv.runs.errors import UserError
from semeqv.train.callbacks.callback import Callback
from semeqv.train.schedulers import CosineWarmup, Linear
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER


class Rates(Callback):
    """Keeps the learning rate of the step after each one."""

    def __init__(self):
        super().__init__("train", steps=1)
        self.seen = []

    def on_step(self, trainer, metrics):
        self.seen += trainer.made.rates()


def rates(scheduler, steps):
    watch = Rates()
    points().set_scheduler(scheduler).set_steps(steps).add_callback(watch).train()
    return watch.seen


@pytest.mark.parametrize(
    ("kind", "height"),
    [(Linear, lambda share: 1 - share), (CosineWarmup, lambda share: (1 + math.cos(math.pi * share)) / 2)],
)
def test_they_rise_and_fall(kind, height):
    found = rates(kind(warmup=4, total=10, lrmin=0.02), 12)
    rise = [0.1 * (step + 1) / 5 for step in range(1, 4)]  # a learning rate of 0.1
    fall = [0.02 + 0.08 * height((step - 4) / 6) for step in range(4, 11)]
    assert found == pytest.approx([*rise, *fall, 0.02, 0.02])
    assert max(found) == found[3] == 0.1


@pytest.mark.parametrize("scheduler", [Linear(warmup=2), CosineWarmup(warmup=2)])
@pytest.mark.parametrize(("batches", "accumulation", "steps"), [(4, 1, None), (7, 2, None), (4, 1, 5)])
def test_they_end_with_the_run(scheduler, batches, accumulation, steps):
    watch = Rates()
    trainer = points().set_scheduler(scheduler).set_trainsplit(Points(batches)).set_accumulation(accumulation)
    trainer.set_epochs(3).set_steps(steps).add_callback(watch).train()
    assert watch.seen[-1] == pytest.approx(0, abs=1e-9)
    assert all(rate > 1e-4 for rate in watch.seen[:-1])


def test_a_fall_that_has_no_room_is_refused():
    with pytest.raises(UserError, match=r"--warmup 3 leaves none of the 2 steps of the run to fall in"):
        points().set_scheduler(Linear(warmup=3)).set_steps(2).train()
    with pytest.raises(ValueError, match=r"--total 3 must be more than the 3 steps of --warmup"):
        CosineWarmup(warmup=3, total=3)


SAVER = "cli savers default-saver --resume"
LINE = f"{DATA.replace('--batch_size 64', '--batch_size 8')} {MODEL} {LOSS} {OPTIMIZER} {SAVER}"


def test_a_longer_run_is_not_the_same_schedule(run_cli, tmp_path):
    run_cli(f"--epochs 2 --output run {LINE} cli schedulers linear --warmup 1 cli train")
    err = run_cli(f"--epochs 4 --output run {LINE} cli schedulers linear --warmup 1 cli train", code=2).err
    steps = [int(step) for step in re.findall(r"until step (\d+)", err)]
    assert steps[1] == 2 * steps[0] > 2
    for epochs in (1, 2):
        run_cli(f"--epochs {epochs} --output long {LINE} cli schedulers cosine-warmup --total {steps[1]} cli train")
    assert (
        "--warmup 99 leaves none of"
        in run_cli(f"{LINE} --dirpath b cli schedulers linear --warmup 99 cli train", 2).err
    )
