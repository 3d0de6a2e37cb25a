"""`semeqv.run`: a sentence from Python."""

import json

import click
import pytest

import semeqv
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID


def test_a_sentence_gives_back_its_trainer_its_results_and_its_folder(tmp_path):
    rest = f"{DATA} {VALID} {MODEL} {LOSS} {OPTIMIZER} cli train"
    outcome = semeqv.run(f"--epochs 2 --threads 1 --output {tmp_path}/run {rest}")
    assert outcome.output == tmp_path / "run"
    assert outcome.trainer.step == 2
    (measured,) = outcome.results
    metrics = measured.metrics
    assert set(metrics) == {"loss", "accuracy"}
    lines = [json.loads(line) for line in (outcome.output / "metrics.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in lines if line["split"] == "validation"][-1] == metrics["loss"][0]
    several = semeqv.run(["--seeds", "1", "2", "--output", f"{tmp_path}/runs", *rest.split()])
    assert [run.path.name for run in several.trainer.runs] == ["1-transformer", "2-transformer"]


def test_what_is_wrong_is_an_exception():
    with pytest.raises(click.ClickException, match="no command"):
        semeqv.run("cli model nothing cli train")
