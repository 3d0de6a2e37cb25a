"""Scorers: what judges the predictions for a whole data set."""

import json
from pathlib import Path

import numpy
import pytest

from semeqv.results.tables import print_metrics
from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.train.metrics import Scorer
from semeqv.train.saver import DefaultSaver
from tests.train.test_replicas import RUNS, data, program
from tests.train.test_trainer import Points, points


class Corners(Scorer):
    """Remembers which corner is predicted for each row."""

    def look(self, outputs, batch):
        asked = batch["labels"] != -100
        return [outputs["logits"].argmax(-1)[asked].tolist(), batch["labels"][asked].tolist()]

    def scores(self):
        predicted, labels = (numpy.concatenate([part[side] for part in self.parts]) for side in (0, 1))
        share = float(numpy.mean(predicted == labels))
        return {"hits": share, "hits_low": share - 0.1, "hits_high": share + 0.1}


class Judged(Points):
    def scorer(self):
        return Corners()


def test_what_a_scorer_finds_joins_the_metrics(tmp_path, capsys):
    saver = DefaultSaver(savebest=True, metric="hits").build()
    trainer = points().set_epochs(3).set_output(tmp_path / "run").set_saver(saver)
    trainer.set_validsplit(Judged(), "judged").set_validsplit(Judged(), "again").set_testsplit(Judged()).train()
    found = trainer.test()[None]
    numpy.testing.assert_allclose(found["hits"], found["accuracy"])
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines if "hits" in line] == ["judged", "again"] * 3 + [None]
    assert len(trainer.scorers[0].parts) == 4
    best = json.loads(next(Path(tmp_path).glob("run/checkpoints/step-*/trainer.json")).read_text())["best"]
    assert best["value"] == pytest.approx(max(line["hits"] for line in lines if line["split"] == "validation"))
    print_metrics("test", ["run"], {"judged": found, "plain": {"loss": found["loss"]}})
    hits = found["hits"][0]
    assert f"{hits:.4f} [{hits - 0.1:.4f}-{hits + 0.1:.4f}]" in capsys.readouterr().out


def test_validation_sets_of_which_one_is_judged_share_the_other_metrics():
    metrics = points().set_epochs(1).set_validsplit(Judged(), "judged").set_validsplit(Points(), "plain").train()
    assert set(metrics) == {"loss", "accuracy"}


def test_the_scorers_of_a_program_see_each_replica():
    made = program("mlp", RUNS)
    batch = next(iter(data().batches()))
    scorers = [Corners() for _ in RUNS]
    accuracies = made.evaluate(batch, scorers)[made.names.index("accuracy")]
    for scorer, accuracy in zip(scorers, accuracies):
        ((predicted, labels),) = scorer.parts
        assert numpy.mean(numpy.array(predicted) == numpy.array(labels)) == pytest.approx(float(accuracy))


def test_what_processes_have_seen_is_put_together_row_by_row():
    class Two(World):
        def all_gather(self, value):
            return [value, ["b", None, "f"]]

    scorer = Corners()
    scorer.parts = ["a", "c", "e"]
    scorer.gather(Two(rank=0, size=2))
    assert scorer.parts == ["a", "b", "c", "e", "f"]
    scorer.take({}, {}, counts=False)
    assert scorer.parts[-1] is None


def test_a_model_that_was_opened_is_tested_as_it_is(tmp_path):
    trainer = points().set_output(tmp_path / "run").set_saver(DefaultSaver().build()).set_testsplit(Judged())
    with pytest.raises(UserError, match="has no checkpoint to test"):
        trainer.test()
    trainer.models[0].source = "runs/other"
    assert 0 <= trainer.test()[None]["hits"][0] <= 1
