"""Callbacks that stop a run."""

import json

import numpy
import pytest
from conftest import DATA, LOSS, MODEL, OPTIMIZER, VALID
from test_trainer import Line, Points, points, same, weights

from semeqv.engine.callbacks.early_stopping import EarlyStopping
from semeqv.engine.errors import UserError


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def stopped_at(values, **options):
    """The validation after which a run with these values stops, and the callback; None when it does not."""

    class Run:
        stopping = None

        def stop(self, reason):
            self.stopping = reason

    callback, run = EarlyStopping(metric="value", **options).build(), Run()
    for i, value in enumerate(values, start=1):
        callback.on_epoch(run, {"value": numpy.array([value])}, None)
        if run.stopping:
            return i
    return None


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ([1, 2, 3, 3, 3, 4], {"patience": 2}, 5),
        ([1, 2, 3, 3, 4, 4, 4], {"patience": 2}, 7),
        ([1, 2, 3, 4, 5], {"patience": 1}, None),
        ([3, 2, 1, 1], {"patience": 1, "mode": "min"}, 4),
        ([3, 2, 1], {"patience": 1, "mode": "max"}, 2),
        ([1, 1.125, 1.25, 1.375, 1.5], {"patience": 3, "min_delta": 0.25}, None),
        ([1, 1.125, 1.25, 1.25], {"patience": 3, "min_delta": 0.25}, 4),
        ([NAN, NAN, 1, NAN, NAN, NAN], {"patience": 3}, 6),
    ],
)
def test_patience(values, options, expected):
    assert stopped_at(values, **options) == expected


def test_what_early_stopping_cannot_observe_is_refused():
    def train(trainer=None, **options):
        (trainer or points().set_validsplit(Points())).add_callback(EarlyStopping(**options).build()).train()

    two = points().set_validsplit(Points(), "fr").set_validsplit(Points())
    with pytest.raises(UserError, match=r"of fr, the one without a name. Choose it by --name"):
        train(two)
    with pytest.raises(UserError, match=r"No validation set is named 'en'; there is the one without a name"):
        train(name="en")
    with pytest.raises(UserError, match="'f1', which is not measured; there is loss, accuracy"):
        train(metric="f1")
    with pytest.raises(UserError, match="needs a validation set"):
        train(points())
    with pytest.raises(UserError, match="replicas that train as one cannot stop one by one"):
        train(points().set_validsplit(Points()).set_replicas([Line(), Line()], [1, 2]))
    with pytest.raises(ValueError, match="--patience must be at least 1, not 0"):
        EarlyStopping(patience=0)


def test_the_set_of_a_name_is_observed():
    class Wrong(Points):
        def batch(self, seed, step):
            batch = super().batch(seed, step)
            return batch | {"labels": (batch["labels"] + 1) % 3}

    for name, stops in (("right", False), ("wrong", True)):
        trainer = points().set_validsplit(Points(), "right").set_validsplit(Wrong(), "wrong").set_epochs(12)
        trainer.add_callback(EarlyStopping(mode="min", patience=3, name=name).build()).train()
        assert (trainer.epoch < 12) == stops


STOP = "cli callbacks early-stopping --mode min --min_delta 0.05 --patience"
RUN = f"{DATA} {VALID} {MODEL} {LOSS} {OPTIMIZER} cli savers default-saver --resume"


def test_a_stopped_run_goes_on_with_more_patience(say, tmp_path):
    err = say(f"--epochs 40 --output parts {RUN} {STOP} 2 cli train").err
    assert "loss has not improved in 2 validations" in err
    record = json.loads((tmp_path / "parts/run.json").read_text())
    assert record["stopped"] == "loss has not improved in 2 validations"
    first = record["steps"]
    assert 2 <= first < 40
    again = say(f"--epochs 40 --output parts {RUN} {STOP} 2 cli train").err
    assert f"Nothing is left to do: the run is at step {first} and was stopped: loss has not improved" in again
    say(f"--epochs 40 --output parts {RUN} {STOP} 6 cli train")
    say(f"--epochs 40 --output whole {RUN} {STOP} 6 cli train")
    assert json.loads((tmp_path / "parts/run.json").read_text())["steps"] > first
    assert lines(tmp_path / "parts/metrics.jsonl") == lines(tmp_path / "whole/metrics.jsonl")
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))
    say(f"--epochs 40 --output parts {RUN} {STOP} 99 cli train")
    record = json.loads((tmp_path / "parts/run.json").read_text())
    assert record["steps"] == 40
    assert "stopped" not in record


def test_an_interrupted_run_keeps_its_patience(say, tmp_path):
    say(f"--epochs 40 --output whole {RUN} {STOP} 3 cli train")
    steps = json.loads((tmp_path / "whole/run.json").read_text())["steps"]
    say(f"--epochs {steps - 1} --output parts {RUN} {STOP} 3 cli train")
    say(f"--epochs 40 --output parts {RUN} {STOP} 3 cli train")
    assert json.loads((tmp_path / "parts/run.json").read_text())["steps"] == steps
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


def test_several_seeds_stop_each_at_its_own_step(say, tmp_path):
    assert "Run 2 of 2" in say(f"--seeds 1..2 --epochs 40 --output run {RUN} {STOP} 2 cli train").err
    assert all("stopped" in json.loads(path.read_text()) for path in (tmp_path / "run").glob("*/run.json"))
