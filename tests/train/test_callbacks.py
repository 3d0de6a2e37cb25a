"""Callbacks that stop a run, and those that show it elsewhere."""

import importlib.util
import json
import struct
import sys

import numpy
import pytest
from test_resuming import judged
from test_trainer import Line, Points, points, same, weights

from semeqv.runs.errors import UserError
from semeqv.train.callbacks.early_stopping import EarlyStopping
from tests.runs.test_runs import TEST
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


# -- early stopping ---------------------------------------------------------------------------------------------------


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


def test_what_a_scorer_finds_is_observed(tmp_path):
    trainer = judged(tmp_path, 40).add_callback(EarlyStopping(metric="f1", patience=2).build())
    trainer.train()
    assert trainer.step == 12


STOP = "cli callbacks early-stopping --mode min --min_delta 0.05 --patience"
RUN = f"{DATA} {VALID} {MODEL} {LOSS} {OPTIMIZER} cli savers default-saver --resume"


def test_a_stopped_run_goes_on_with_more_patience(run_cli, tmp_path):
    err = run_cli(f"--epochs 40 --output parts {RUN} {STOP} 2 cli train").err
    assert "loss has not improved in 2 validations" in err
    record = json.loads((tmp_path / "parts/run.json").read_text())
    assert record["stopped"] == "loss has not improved in 2 validations"
    first = record["steps"]
    assert 2 <= first < 40
    again = run_cli(f"--epochs 40 --output parts {RUN} {STOP} 2 cli train").err
    assert f"Nothing is left to do: the run is at step {first} and was stopped: loss has not improved" in again
    run_cli(f"--epochs 40 --output parts {RUN} {STOP} 6 cli train")
    run_cli(f"--epochs 40 --output whole {RUN} {STOP} 6 cli train")
    assert json.loads((tmp_path / "parts/run.json").read_text())["steps"] > first
    assert lines(tmp_path / "parts/metrics.jsonl") == lines(tmp_path / "whole/metrics.jsonl")
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))
    run_cli(f"--epochs 40 --output parts {RUN} {STOP} 99 cli train")
    record = json.loads((tmp_path / "parts/run.json").read_text())
    assert record["steps"] == 40
    assert "stopped" not in record


def test_an_interrupted_run_keeps_its_patience(run_cli, tmp_path):
    run_cli(f"--epochs 40 --output whole {RUN} {STOP} 3 cli train")
    steps = json.loads((tmp_path / "whole/run.json").read_text())["steps"]
    run_cli(f"--epochs {steps - 1} --output parts {RUN} {STOP} 3 cli train")
    run_cli(f"--epochs 40 --output parts {RUN} {STOP} 3 cli train")
    assert json.loads((tmp_path / "parts/run.json").read_text())["steps"] == steps
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


def test_several_seeds_stop_each_at_its_own_step(run_cli, tmp_path):
    assert "Run 2 of 2" in run_cli(f"--seeds 1..2 --epochs 40 --output run {RUN} {STOP} 2 cli train").err
    assert all("stopped" in json.loads(path.read_text()) for path in (tmp_path / "run").glob("*/run.json"))


# -- tracking ---------------------------------------------------------------------------------------------------------


def needs(package):
    return pytest.mark.skipif(
        not importlib.util.find_spec(package), reason=f"{package} is not installed: pip install -e '.[tracking]'"
    )


TRACKED = (
    f"{DATA} {VALID} {VALID} --name x {MODEL} --tie both {LOSS} {OPTIMIZER} "
    "cli schedulers constant --warmup 3 cli savers default-saver --resume"
)
METRICS = {"loss", "accuracy"}
TAGS = {f"{where}/{metric}" for where in ("train", "validation", "validation/x") for metric in METRICS}


def expected(folder, tag):
    """What metrics.jsonl says under a tag: (step, value) pairs."""
    *where, metric = tag.split("/")
    return [
        (line["step"], pytest.approx(line[metric]))
        for line in lines(folder / "metrics.jsonl")
        if [part for part in (line["split"], line["name"]) if part] == where
    ]


def events(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder / "tensorboard")).Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


@needs("tensorboard")
def test_tensorboard_shows_what_metrics_jsonl_says(run_cli, tmp_path):
    run_cli(f"--epochs 4 --output run {TRACKED} cli callbacks tensorboard cli train")
    for folder in (tmp_path / "run/42-transformer", tmp_path / "run/42-transformerwt"):
        found = events(folder)
        assert found.keys() == TAGS | {"learning_rate"}
        assert all(values == expected(folder, tag) for tag, values in found.items() if tag in TAGS)
        assert found["learning_rate"] == [(i, pytest.approx(0.01 * min(1, (i + 1) / 4))) for i in range(1, 5)]


@needs("tensorboard")
def test_tensorboard_goes_on_where_a_run_is_resumed(run_cli, tmp_path):
    board = "cli callbacks tensorboard --stc 1"
    line = f"--output run {TRACKED} --etc 2 {TEST}".replace(" --tie both", "")
    run_cli(f"--epochs 5 {line} {board} cli train")
    (tmp_path / "run/checkpoints/step-00000005/state.pt").write_bytes(b"torn")  # so that it goes on from step 4
    run_cli(f"--epochs 6 {line} {board} cli train cli test")
    found, tested = events(tmp_path / "run"), {f"test/{metric}" for metric in METRICS}
    assert found.keys() == TAGS | tested | {"learning_rate", "step/loss", "step/accuracy"}
    assert all(values == expected(tmp_path / "run", tag) for tag, values in found.items() if tag in TAGS | tested)
    assert [step for step, _ in found["step/loss"]] == [1, 2, 3, 4, 5, 6]
    run_cli(f"--overwrite --epochs 2 {line.replace(' --resume', '')} {board} cli train")
    assert [step for step, _ in events(tmp_path / "run")["step/loss"]] == [1, 2]


def records(path):
    """The records of a .wandb file: LevelDB's log format, each record a protocol buffer."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, found, whole = path.read_bytes(), 7, [], b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = struct.unpack("<HB", data[at + 4 : at + 7])  # whole, first, middle or last part
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            found.append(Record.FromString(whole))
            whole = b""
    return found


def history(found):
    """The logged values: (step, value) pairs by tag."""
    values = {}
    for record in found:
        if record.WhichOneof("record_type") == "history":
            row = {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
            for tag in row.keys() & (TAGS | {"learning_rate"}):
                values.setdefault(tag, []).append((row["step"], row[tag]))
    return values


@needs("wandb")
def test_wandb_keeps_each_run_on_the_disk_and_goes_on_with_it(run_cli, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    line = f"--output run {TRACKED} cli callbacks wandb --project words --group all"
    run_cli(f"--epochs 3 {line} cli train")
    run_cli(f"--epochs 5 {line} cli train")
    ids = set()
    for name in ("42-transformer", "42-transformerwt"):
        first, second = map(records, sorted((tmp_path / "run" / name).glob("wandb/offline-run-*/*.wandb")))
        runs = [record.run for record in (*first, *second) if record.WhichOneof("record_type") == "run"]
        assert {(run.project, run.run_group, run.display_name) for run in runs} == {("words", "all", name)}
        (own,) = {run.run_id for run in runs}
        ids.add(own)
        config = {item.key: json.loads(item.value_json) for item in runs[0].config.update}
        assert any(part.startswith("optimizers adamw") for part in config["parts"])
        a, b = history(first), history(second)
        assert a.keys() == b.keys() == TAGS | {"learning_rate"}
        assert all(a[tag] + b[tag] == expected(tmp_path / "run" / name, tag) for tag in TAGS)
    assert len(ids) == 2


@needs("wandb")
def test_wandb_may_be_disabled(run_cli, tmp_path):
    run_cli(f"{TRACKED} --dirpath run cli callbacks wandb --mode disabled cli train")
    assert not list(tmp_path.rglob("wandb"))


@pytest.mark.parametrize("package", ["tensorboard", "wandb"])
def test_a_missing_package_is_named(run_cli, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    err = run_cli(f"{TRACKED} --dirpath run cli callbacks {package} cli train", code=2).err
    assert f"`cli callbacks {package}` needs {package}: pip install -e '.[tracking]'" in err


def test_tracking_needs_a_folder():
    from semeqv.train.callbacks.trackers import Tracker

    with pytest.raises(UserError, match="needs a folder"):
        points().add_callback(Tracker(0)).train()
