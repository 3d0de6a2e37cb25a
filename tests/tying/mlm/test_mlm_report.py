"""The report says what the numbers say, whichever way they fall."""

import json
import math

import numpy
import pytest
from planted_doubles import WORDS, experiment

from semeqv.tying.mlm.experiments import read_experiment
from semeqv.tying.mlm.findings import cost_of_tying, estimate, findings, ratio_of, rows_of


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Let tables be wide enough not to wrap."""
    monkeypatch.setenv("COLUMNS", "300")


def test_close_doubles_are_found_close(tmp_path):
    found = read_experiment(experiment(tmp_path, near=0.2))
    assert found.words == list(WORDS)
    assert len(found.where(tied=True)) == len(found.where(tied=False)) == 3
    assert [finding.met for finding in findings(found)] == [True] * 11
    rows = {(row.embedding, row.first): row for row in rows_of(found)}
    assert set(rows) == {(side, first) for side in ("input", "output", "tied") for first in (True, False)}
    last, first = rows["input", False], rows["input", True]
    assert (last.closer["random"].value, last.closer["random"].low) == (1.0, 1.0)
    assert last.ratio["random"].value == pytest.approx(0.2, abs=0.03)
    assert first.ratio["random"].value == pytest.approx(1, abs=0.1)
    assert last.distances["doubles"] == pytest.approx(0.4, abs=0.05)


def test_doubles_as_far_as_any_word_are_not(tmp_path):
    found = read_experiment(experiment(tmp_path, near=1.0, cost=0.5, loss=5.4))
    assert [finding.met for finding in findings(found)] == [False] * 11
    assert cost_of_tying(found).measured == "+0.500 (1: +0.500, 2: +0.500, 3: +0.500)"


@pytest.mark.parametrize(("near", "cost", "met"), [(0.9, 0.1, True), (0.2, 0.0, False)])
def test_doubles_of_other_frequency_are_to_be_apart_but_in_the_input(tmp_path, near, cost, met):
    found = findings(read_experiment(experiment(tmp_path, near=near, cost=cost, swap=0.1)))
    assert [finding.met for finding in found[2:]] == [not met, met, met, met, True]


def test_what_was_not_run_is_not_measured(tmp_path):
    found = read_experiment(experiment(tmp_path, near=0.2, models=("encoder",)))
    assert [finding.met for finding in findings(found)] == [True] * 6 + [None] * 4 + [True]


def test_an_interval_holds_its_value_and_a_group_against_itself_is_even():
    group = {seed: numpy.random.default_rng(seed).uniform(1, 2, 50) for seed in range(3)}
    found = estimate(ratio_of, group, group)
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    other = {seed: each * numpy.random.default_rng(9 + seed).uniform(0.5, 1, 50) for seed, each in group.items()}
    found = estimate(ratio_of, other, group)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(sum(found.by_seed.values()) / 3)


def test_the_report_is_written(run_cli, tmp_path):
    folder = experiment(tmp_path, near=0.2)
    said = run_cli(f"cli mlm report --check --output docs/mlm.md {folder}").out
    assert "not met" not in said
    text = (tmp_path / "docs/mlm.md").read_text()
    assert "Of the 11 statements below, 11 hold and 0 do not." in text
    assert "![planted](mlm/planted.png)" in text
    assert "Untied: seeds 1, 2, 3" in text
    assert "Steps: 200; corpus: plain; probability of a swap: 0.5; learning rate: 0.001" in text
    assert f"*{' '.join(WORDS)}*" in text
    numbers = json.loads((tmp_path / "docs/mlm.json").read_text())["experiments"][0]
    assert len(numbers["findings"]) == 11
    assert numbers["losses"]["tied"] == {"1": 5.0, "2": 5.0, "3": 5.0}
    assert run_cli(f"cli mlm report --check {experiment(tmp_path, near=1.0, name='far')}", code=1).err.startswith(
        "9 state"
    )


def test_a_diverged_run_has_no_loss(tmp_path):
    folder = experiment(tmp_path, near=0.2, models=("encoder", "encoderwt"), loss=math.nan)
    assert cost_of_tying(read_experiment(folder)).met is None


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("cli mlm report", "give folders of experiments"),
        ("cli mlm report nowhere", "nowhere: no such folder"),
        ("cli mlm report .", "holds no runs; its folders should be called like 42-encoder"),
        ("cli mlm report --output mlm.txt runs", "the report is Markdown; write mlm.md"),
    ],
)
def test_what_is_wrong_is_said(run_cli, line, match):
    assert match in run_cli(line, code=2).err


def test_runs_of_different_words_are_refused(run_cli, tmp_path):
    folder = experiment(tmp_path, near=0.2)
    path = folder / "1-encoder/followed.json"
    path.write_text(path.read_text().replace(WORDS[0], "other"))
    assert "its runs follow different words" in run_cli(f"cli mlm report {folder}", code=2).err
    path.write_text(path.read_text().replace("neighbours", "others"))
    assert "follows no pairs of the kind 'neighbours'" in run_cli(f"cli mlm report {folder}", code=2).err
