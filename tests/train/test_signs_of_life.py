"""What a run shows while it goes on: lines without a terminal, a bar on one, records in metrics.jsonl."""

import contextlib
import io
import json

import pytest
from test_trainer import points

from semeqv.runs import notices
from semeqv.runs.progress import Progress
from semeqv.train import bars


class Clock:
    """A clock that goes on when it is told to."""

    now = 1000.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(bars.tqdm, "_time", made, raising=False)
    monkeypatch.setattr("tqdm.std.time", made)
    return made


def test_without_a_terminal_a_line_about_twice_a_minute(clock):
    out = io.StringIO()
    for _ in Progress(range(100), desc="read", unit="text", file=out):
        clock.now += 10
    lines = out.getvalue().splitlines()
    assert 25 <= len(lines) <= 35
    assert lines[0].startswith("read: text ")
    assert " of 100, 00:" in lines[0]
    assert " left, " in lines[0]
    assert "\r" not in out.getvalue()


def test_what_is_quick_or_not_to_be_shown_writes_nothing(clock):
    out = io.StringIO()
    for _ in Progress(range(100), file=out):
        clock.now += 0.01
    for _ in Progress(range(100), file=out, disable=True):
        clock.now += 100
    assert out.getvalue() == ""


def test_a_total_that_is_not_known(clock):
    out = io.StringIO()
    for _ in Progress(iter(range(10)), desc="read", file=out):
        clock.now += 60
    assert out.getvalue().startswith("read: it 1, 01:00 passed, ")


def test_on_a_terminal_a_bar(clock):
    out = Terminal()
    for _ in Progress(range(10), desc="read", file=out):
        clock.now += 1
    assert "\r" in out.getvalue()
    assert "100%" in out.getvalue()


def test_a_run_shows_step_loss_rate_and_time_left(clock, monkeypatch, capsys):
    trainer = points().set_bars(False, False, False, True).set_steps(20)
    step = trainer.stream

    def slow():
        with step() as batches:
            for batch in batches:
                clock.now += 20
                yield batch

    monkeypatch.setattr(trainer, "stream", lambda: contextlib.nullcontext(slow()))
    trainer.train()
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train: step")]
    assert 8 <= len(lines) <= 12
    assert " of 20, " in lines[3]
    assert " left, " in lines[3]
    assert "loss " in lines[3]
    assert "learning rate 1.00e-01" in lines[3]


def records(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["split"]) for line in lines], lines


def test_training_is_recorded_as_it_goes(tmp_path):
    points().set_steps(10).set_epochs_to_valid(9).set_record_steps(4).set_output(tmp_path / "run").train()
    places, lines = records(tmp_path / "run")
    assert places == [(4, "train"), (8, "train"), (10, "train")]
    points().set_steps(10).set_epochs_to_valid(9).set_output(tmp_path / "other").train()
    ((place,), (whole,)) = records(tmp_path / "other")
    assert place == (10, "train")
    # Each record is the mean since the last one.
    assert whole["loss"] == pytest.approx((4 * lines[0]["loss"] + 4 * lines[1]["loss"] + 2 * lines[2]["loss"]) / 10)


def test_a_long_run_leaves_a_hundred_records():
    assert points().set_steps(150_000).record_every == 1500
    assert points().set_steps(200).record_every == 50
    assert points().set_steps(200).set_record_steps(7).record_every == 7


def test_validation_in_steps(tmp_path):
    trainer = points().set_steps(10).set_steps_to_valid(3).set_output(tmp_path / "run")
    trainer.set_validsplit(trainer.trainsplit).train()
    places, _ = records(tmp_path / "run")
    assert [step for step, split in places if split == "validation"] == [3, 6, 9, 10]


def test_validation_in_steps_or_epochs_but_not_both(run_cli):
    err = run_cli("--stv 3 --etv 2 cli xor dataset default cli train", code=2).err
    assert "--etv" in err
    assert "--stv" in err


@pytest.mark.parametrize(
    ("environment", "terminal", "coloured"),
    [({}, True, True), ({}, False, False), ({"NO_COLOR": "1"}, True, False), ({"FORCE_COLOR": "1"}, False, True)],
)
def test_words_have_a_colour_on_a_terminal(environment, terminal, coloured, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr", Terminal() if terminal else io.StringIO())
    notices.error("no")
    assert ("\x1b[" in notices.sys.stderr.getvalue()) is coloured
    assert notices.sys.stderr.getvalue().endswith("no\n")
