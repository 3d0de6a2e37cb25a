"""What a resumed run may lose: nothing without a word."""

import json
import os
import signal
import time
from pathlib import Path

import numpy
import pytest
import torch
from test_trainer import Line, Points, points

from semeqv.grammar.plan import free_folder
from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from semeqv.runs.folder import RunFolder
from semeqv.runs.logs import LIVE, ArrayLog, LineLog
from semeqv.runs.signals import Interrupted
from semeqv.train.callbacks.callback import Callback
from semeqv.train.callbacks.log import Log
from semeqv.train.metrics import Scorer
from semeqv.train.saver import DefaultSaver
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID

LINE = f"{DATA} {VALID} {MODEL} {LOSS} {OPTIMIZER}"


def run(folder, steps, **saver):
    """A run of four batches an epoch, with a checkpoint after each epoch."""
    trainer = points().set_validsplit(Points()).set_output(folder).set_steps(steps)
    return trainer.set_saver(DefaultSaver(**{"etc": 1, **saver}).build())


def replicas(folder, steps, **saver):
    trainer = points().set_steps(steps).set_saver(DefaultSaver(etc=1, **saver).build())
    return trainer.set_replicas([Line(), Line()], [1, 2], [RunFolder(folder / "1"), RunFolder(folder / "2")])


def lines(folder):
    path = folder / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def interrupt(folder):
    """Let a run look as if it had not finished."""
    record = json.loads((folder / "run.json").read_text())
    del record["seconds"]
    (folder / "run.json").write_text(json.dumps(record))


# -- what cannot go on together ---------------------------------------------------------------------------------------


def test_replicas_without_a_step_in_common_are_not_begun_anew(tmp_path):
    replicas(tmp_path, 4).train()
    for name in ("1", "2"):
        interrupt(tmp_path / name)
    (tmp_path / "2/checkpoints/step-00000004").rename(tmp_path / "2/checkpoints/step-00000003")
    with pytest.raises(UserError, match=r"no checkpoint of the same step to go on from \(1: 4; 2: 3\)"):
        replicas(tmp_path, 8, resume=True).train()
    assert checkpoint.steps(tmp_path / "1/checkpoints") == [4]


def test_more_seeds_join_those_that_there_are(run_cli, tmp_path):
    line = f"{LINE} cli savers default-saver --resume cli train"
    run_cli(f"--output runs --seeds 3..4 --steps 4 {line}")
    err = run_cli(f"--output runs --seeds 3..6 --steps 6 {line}").err
    assert (
        "Run 1 of 2: 3-transformer and 1 more\nResumed 2 runs at step 4.\nRun 2 of 2: 5-transformer and 1 more" in err
    )
    assert "Run" not in run_cli(f"--output all --seeds 3..6 --steps 6 {line}").err
    for seed in (3, 6):
        one, other = (tmp_path / name / f"{seed}-transformer" for name in ("runs", "all"))
        assert lines(one)[-1] == lines(other)[-1]
    assert len(json.loads((tmp_path / "runs/run.json").read_text())["runs"]) == 4


def test_a_run_whose_checkpoints_are_all_damaged_is_not_begun_anew(tmp_path, capsys):
    run(tmp_path, 8).train()
    interrupt(tmp_path)
    for path in tmp_path.glob("checkpoints/step-*/model.safetensors"):
        path.write_bytes(b"x")
    before = lines(tmp_path)
    with pytest.raises(UserError, match=r"has no checkpoint that is undamaged.*--overwrite"):
        run(tmp_path, 12, resume=True).train()
    assert lines(tmp_path) == before
    assert "step-00000008/model.safetensors is damaged" in capsys.readouterr().err


def test_replicas_killed_between_their_saves_have_a_step_in_common(tmp_path, monkeypatch, capsys):
    trainer = replicas(tmp_path, 20, keep=1)
    write = checkpoint.write

    def dying(path, *given, **named):
        if path == tmp_path / "2/checkpoints/step-00000012":
            raise KeyboardInterrupt
        write(path, *given, **named)

    monkeypatch.setattr(checkpoint, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    monkeypatch.undo()
    again = replicas(tmp_path, 20, keep=1, resume=True)
    again.set_steps(9).train()
    assert "Resumed 2 runs at step 8" in capsys.readouterr().err
    assert checkpoint.steps(tmp_path / "1/checkpoints") == [9]  # what came after step 8 is gone


# -- two at once ------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_free_is_taken_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [free_folder(Path("runs"), "xor") for _ in range(3)] == [
        Path("runs", name) for name in ("xor", "xor-2", "xor-3")
    ]


@pytest.mark.parametrize("second", [{"resume": True}, {}], ids=["resumed", "anew"])
def test_nobody_trains_where_another_does(tmp_path, second):
    class Intruder(Callback):
        def on_step(self, trainer, metrics):
            with pytest.raises(UserError, match="Another process is training in"):
                run(tmp_path, 12, **second).train()

    run(tmp_path, 8).add_callback(Intruder(steps=5)).train()
    run(tmp_path, 12, resume=True).train()
    assert [line["step"] for line in lines(tmp_path)][-1] == 12


# -- tests before and after training ----------------------------------------------------------------------------------


class Worse(Scorer):
    """Finds every pass worse than the one before, so that the first is best."""

    passes = 0

    def look(self, outputs, batch):
        return 0

    def scores(self):
        Worse.passes += 1
        return {"f1": 1 / Worse.passes}


class Judged(Points):
    def scorer(self):
        return Worse()


def judged(folder, steps, **saver):
    trainer = run(folder, steps, savebest=True, metric="f1", **saver).set_testsplit(Points())
    return trainer.set_validsplit(Judged())


def test_a_test_says_whose_weights_it_measures_and_leaves_what_was_trained(tmp_path):
    trainer = judged(tmp_path, 12)
    trainer.train()
    before = {name: value.clone() for name, value in trainer.models[0].state_dict().items()}
    found = trainer.test()[None]["loss"]
    assert all(torch.equal(value, before[name]) for name, value in trainer.models[0].state_dict().items())
    assert trainer.step == 12
    (tested,) = (line for line in lines(tmp_path) if line["split"] == "test")
    assert (tested["step"], tested["epoch"]) == (4, 1)
    judged(tmp_path, 12).test()
    assert lines(tmp_path)[-1] == tested
    assert found == tested["loss"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_test_may_come_before_training(tmp_path, overwrite):
    def opened(folder):
        trainer = run(folder, 8).set_testsplit(Points()).set_output(folder, overwrite=overwrite)
        trainer.models[0].source = "elsewhere"
        return trainer

    opened(tmp_path / "plain").train()
    for _ in range(1 + overwrite):
        trainer = opened(tmp_path / "tested")
        trainer.test()
        trainer.train()
        first, *rest = lines(tmp_path / "tested")
        assert (first["split"], first["step"]) == ("test", 0)
        assert rest == lines(tmp_path / "plain")


def test_what_will_be_replaced_is_not_tested(tmp_path):
    run(tmp_path, 4).train()
    with pytest.raises(UserError, match="no checkpoint to test"):
        run(tmp_path, 4).set_testsplit(Points()).set_output(tmp_path, overwrite=True).test()


# -- the best weights -------------------------------------------------------------------------------------------------


def test_the_best_weights_of_another_run_come_along(tmp_path):
    judged(tmp_path / "first", 12).train()
    trainer = judged(tmp_path / "second", 14, restorepath=tmp_path / "first")
    trainer.train()
    assert trainer.saver.best[0]["step"] == 4
    weights = [tmp_path / name / "checkpoints/step-00000004/model.safetensors" for name in ("first", "second")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    trainer.test()
    assert lines(tmp_path / "second")[-1]["step"] == 4


def test_a_checkpoint_that_has_lost_the_best_weights_knows_no_best(tmp_path):
    judged(tmp_path / "first", 12).train()
    (tmp_path / "first/checkpoints/step-00000012").rename(tmp_path / "alone")
    trainer = judged(tmp_path / "second", 14, restorepath=tmp_path / "alone")
    trainer.train()
    assert trainer.saver.best[0]["step"] == 14
    assert checkpoint.pointed(tmp_path / "second/checkpoints", "best").name == "step-00000014"


def test_values_of_two_metrics_are_not_compared(tmp_path, capsys):
    judged(tmp_path, 12).train()
    trainer = judged(tmp_path, 16, resume=True)
    trainer.saver.metric, trainer.saver.mode = "loss", "min"
    trainer.train()
    assert trainer.saver.best[0]["step"] == 16
    assert "the best weights so far, judged by f1 (max), are dropped: now loss (min) judges" in capsys.readouterr().err
    assert checkpoint.steps(tmp_path / "checkpoints") == [16, 12]


def test_runs_one_after_the_other_continue_each_its_own(run_cli):
    line = f"--accumulation 2 --seeds 3..4 {LINE} cli savers default-saver"
    run_cli(f"--output a --steps 4 {line} cli train")
    err = run_cli(f"--output b --steps 6 {line} --restorepath a cli train").err
    assert "Resumed a/3-transformer at step 4" in err
    assert "Resumed a/4-transformer at step 4" in err


# -- files that grow --------------------------------------------------------------------------------------------------


def test_a_log_that_is_new_replaces_no_file_of_others(tmp_path):
    run(tmp_path / "run", 4).train()
    (tmp_path / "notes.jsonl").write_text('{"precious": 1}\n')
    (tmp_path / "run/mine.jsonl").write_text("what a killed session has left\n")

    def logged(path, steps=8, overwrite=False):
        trainer = run(tmp_path / "run", steps, resume=True).set_output(tmp_path / "run", overwrite=overwrite)
        trainer.add_callback(Log(epoch_log_path=path).build()).train()
        return path.read_text()

    with pytest.raises(UserError, match=r"notes.jsonl exists. Replace it with --overwrite, or write to another path"):
        logged(tmp_path / "notes.jsonl")
    assert (tmp_path / "notes.jsonl").read_text() == '{"precious": 1}\n'
    assert "killed" not in logged(tmp_path / "run/mine.jsonl")
    assert "precious" not in logged(tmp_path / "notes.jsonl", 12, overwrite=True)


@pytest.mark.parametrize(("kind", "record"), [(LineLog, {"loss": 1.0}), (ArrayLog, numpy.ones(3))])
def test_a_full_disk_is_one_line(kind, record):
    log = kind(Path("full"))
    log.path = Path("/dev/full")
    log.append(record)
    with pytest.raises(UserError, match=r"/dev/full cannot be written: No space left on device"):
        log.flush()
    assert log.length == 0


def test_lines_do_not_wait_long_for_the_file(tmp_path, monkeypatch):
    log = LineLog(tmp_path / "steps.jsonl")
    log.append({"step": 1})
    assert not log.path.exists()
    monkeypatch.setattr("semeqv.runs.logs.time.monotonic", lambda: log.written + LIVE + 1)
    log.append({"step": 2})
    assert log.path.read_text() == '{"step": 1}\n{"step": 2}\n'


# -- signals ----------------------------------------------------------------------------------------------------------


def test_the_seconds_of_an_interrupted_session_count(tmp_path):
    class Slow(Callback):
        def on_step(self, trainer, metrics):
            time.sleep(0.05)
            if trainer.step == 5 and not list(tmp_path.glob("checkpoints/step-00000005")):
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        run(tmp_path, 8).add_callback(Slow(steps=1)).train()
    run(tmp_path, 8, resume=True).add_callback(Slow(steps=1)).train()
    assert json.loads((tmp_path / "run.json").read_text())["seconds"] > 8 * 0.05


class Asking(Points):
    """Points that ask the run to end when they are measured for the `at`-th time, once."""

    def __init__(self, at):
        super().__init__()
        self.left = at

    def batches(self):
        for i, batch in enumerate(super().batches()):
            if i == 1:
                self.left -= 1
                if self.left == 0:
                    os.kill(os.getpid(), signal.SIGUSR1)
            yield batch


def weights(folder, step):
    return (folder / f"checkpoints/step-{step:08d}/model.safetensors").read_bytes()


@pytest.mark.parametrize("at", [1, 3])  # in a validation amid training, and in the last
def test_a_signal_ends_a_validation_which_the_resumed_run_begins_with(tmp_path, at):
    def trainer(folder, **saver):
        made = run(folder, 12, savebest=True, metric="loss", mode="min", **saver)
        return made.set_validsplit(Points(), "first")

    trainer(tmp_path / "whole").set_validsplit(Points()).train()
    with pytest.raises(Interrupted) as stopped:
        trainer(tmp_path / "other").set_validsplit(Asking(at)).train()
    assert stopped.value.code == 75
    assert max((line["step"] for line in lines(tmp_path / "other")), default=0) < 4 * at
    assert checkpoint.steps(tmp_path / "other/checkpoints")[0] == 4 * at
    trainer(tmp_path / "other", resume=True).set_validsplit(Points()).train()
    assert lines(tmp_path / "other") == lines(tmp_path / "whole")
    assert weights(tmp_path / "other", 12) == weights(tmp_path / "whole", 12)
    record = json.loads((tmp_path / "other/run.json").read_text())
    assert record["steps"] == 12


def test_a_signal_before_a_validation_does_not_wait_for_it(tmp_path):
    class Asks(Callback):
        def on_step(self, trainer, metrics):
            if trainer.step == 4:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        run(tmp_path, 8).add_callback(Asks(steps=1)).train()
    assert lines(tmp_path) == []
    run(tmp_path, 8, resume=True).train()
    assert [line["step"] for line in lines(tmp_path) if line["split"] == "validation"] == [4, 8]


def test_a_signal_in_the_last_validation_ends_the_program(tmp_path):
    class Asks(Callback):
        def on_epoch(self, trainer, metrics, name):
            if trainer.step == trainer.last_step:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted) as stopped:
        run(tmp_path, 8).add_callback(Asks("validation", epochs=1)).train()
    assert stopped.value.code == 143
    assert json.loads((tmp_path / "run.json").read_text())["steps"] == 8


# -- what stays as it was ---------------------------------------------------------------------------------------------


class Told(Points):
    """Points that say which they are, as data read from files does."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def facts(self):
        return {"files": self.name}


def chosen_by(folder, steps, name, **saver):
    return run(folder, steps, **saver).set_validsplit(Told(name))


def test_other_validation_data_judges_no_best_weights(tmp_path):
    chosen_by(tmp_path, 4, "one", savebest=True).train()
    with pytest.raises(UserError, match=r"validation data was .*one.*, is .*two"):
        chosen_by(tmp_path, 8, "two", savebest=True, resume=True).train()
    chosen_by(tmp_path, 8, "one", savebest=True, resume=True).train()
    chosen_by(tmp_path, 12, "two", resume=True).train()  # nothing is chosen by it


def test_validation_data_is_free_until_it_judges(tmp_path):
    chosen_by(tmp_path, 4, "one").train()
    chosen_by(tmp_path, 8, "two", savebest=True, resume=True).train()


def test_what_was_measured_stays_when_a_run_goes_on(tmp_path):
    run(tmp_path, 8).train()
    (tmp_path / "checkpoints/step-00000008/state.pt").unlink()  # so that the run goes back to step 4
    measurement = {"measure": "perplexity", "perplexity": 7.5}
    with open(tmp_path / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(measurement) + "\n" + '{"measure": "cut sh')
    before = lines_until(tmp_path, 2)
    run(tmp_path, 12, resume=True).train()
    found = lines(tmp_path)
    assert found.count(measurement) == 1
    assert [line["step"] for line in found if "step" in line] == [4, 4, 8, 8, 12, 12]
    assert found[:2] == before


def lines_until(folder, count):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()[:count]]
